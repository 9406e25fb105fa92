import type { DoctorReport } from "../../shared/protocol.ts";
import { probeDevices } from "../backends/devices/index.ts";
import { probeBackends } from "../backends/index.ts";
import { version } from "./version.ts";

/** What was found on this machine, and what `auto` takes. Each native part is tried in a process of its own. */
export async function doctor(): Promise<DoctorReport> {
  const [backends, devices] = await Promise.all([probeBackends(), probeDevices()]);
  const order = ["onnxruntime", "wasm", "cpu"];
  const selected = order.find((name) => backends.some((backend) => backend.name === name && backend.available)) ?? "none";
  return { version, node: process.versions.node, backends, selected, devices, selectedDevice: "cpu" };
}
