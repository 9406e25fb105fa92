import { deviceNote } from "../../shared/devices.ts";
import type { DoctorReport } from "../../shared/protocol.ts";
import { examine } from "../doctor.ts";
import { showText } from "../documents.ts";
import type { Services } from "../services.ts";

/** What was found on this machine, what was chosen, and why. */
export async function runDoctor(services: Services): Promise<unknown> {
  const report = await examine(services);
  await showText("Bulwark doctor.md", describe(report));
  return report;
}

function describe({ version, node, backends, selected, devices, selectedDevice }: DoctorReport): string {
  const rows = backends.map(
    (b) => `| ${b.name}${b.name === selected ? " (selected)" : ""} | ${b.available ? "yes" : "no"} | ${b.device ?? b.reason ?? ""} |`,
  );
  const head = ["# Bulwark doctor", "", `Bulwark ${version} · Node ${node} · computes with ${selected}`, ""];
  const places = devices.map(
    (d) => `| ${d.title}${d.name === selectedDevice ? " (taken by auto)" : ""} | ${d.available ? "yes" : "no"} | ${deviceNote(d)} |`,
  );
  const table = (first: string, lines: readonly string[]): string[] => [
    `| ${first} | Available | Name, or why not |`,
    "| --- | --- | --- |",
    ...lines,
    "",
  ];
  return [...head, ...table("Backend", rows), "Devices of onnxruntime:", "", ...table("Device", places)].join("\n");
}
