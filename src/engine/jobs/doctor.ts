import type { DoctorReport } from "../../shared/protocol.ts";
import { probeDevices } from "../backends/devices/index.ts";
import { probeBackends } from "../backends/index.ts";
import { whyNoDecoder } from "../io/decode.ts";
import { freeMemory, machineMemory } from "../io/memory.ts";
import { version } from "../session/version.ts";

/** What was found on this machine, and what `auto` takes. Each native part is tried in a process of its own. */
export async function doctor(): Promise<DoctorReport> {
  const [backends, devices, noDecoder] = await Promise.all([probeBackends(), probeDevices(), whyNoDecoder()]);
  // As `useBackend("auto")` has it: the user's TensorFlow for its GPU alone.
  const taken = (name: string) => backends.some((one) => one.name === name && one.available && (name !== "tensorflow" || one.gpu === true));
  const selected = ["tensorflow", "onnxruntime", "wasm", "cpu"].find(taken) ?? "none";
  const memory = { total: machineMemory(), free: freeMemory() };
  return { version, node: process.versions.node, memory, backends, selected, devices, noDecoder, selectedDevice: "cpu" };
}
