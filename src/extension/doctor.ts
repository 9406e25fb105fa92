import { deviceNote } from "../shared/devices.ts";
import { BulwarkError } from "../shared/errors.ts";
import { bytes } from "../shared/format.ts";
import { type DoctorReport, requests } from "../shared/protocol.ts";
import type { Services } from "./services.ts";

/**
 * What was found on this machine. Where the backend or the device that is set cannot start, a process with plain JavaScript looks: the
 * doctor is what the error sends people to.
 */
export async function examine(services: Services): Promise<DoctorReport> {
  try {
    return await services.engine.request(requests.doctor, {});
  } catch (thrown) {
    if (!(thrown instanceof BulwarkError && ["BACKEND_UNAVAILABLE", "PARAMETER_INVALID"].includes(thrown.code))) throw thrown;
  }
  const process = await services.startProcess({ backend: "cpu", device: "auto" });
  try {
    return await process.request(requests.doctor, {});
  } finally {
    process.kill();
  }
}

/** The report as plain text, for a bug report. */
export function doctorText({ version, node, memory, backends, selected, devices, selectedDevice, noDecoder }: DoctorReport): string {
  const line = (name: string, mark: string, available: boolean, note: string): string =>
    `${available ? "✓" : "✗"} ${name}${mark}${note === "" ? "" : `: ${note}`}`;
  return [
    `Bulwark ${version}, Node ${node}, computes with ${selected}`,
    `${bytes(memory.free)} of ${bytes(memory.total)} of memory are free; the images of a batch take a third of that at most`,
    "Backends",
    ...backends.map((b) => line(b.name, b.name === selected ? " (in use)" : "", b.available, b.device ?? b.reason ?? "")),
    "Devices of ONNX Runtime",
    ...devices.map((d) => line(d.title, d.name === selectedDevice ? " (taken by auto)" : "", d.available, deviceNote(d))),
    ...(noDecoder ? [noDecoder] : []),
    "",
  ].join("\n");
}
