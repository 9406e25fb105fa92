import { existsSync } from "node:fs";
import path from "node:path";
import { type Device, type DeviceName, deviceNames, deviceTitles } from "../../../shared/devices.ts";
import { BulwarkError } from "../../../shared/errors.ts";
import type { DeviceReport } from "../../../shared/protocol.ts";
import { type RuntimeFiles, runtimeFiles } from "../onnxruntime/native.ts";
import { graphicsCards, nameDevice } from "./names.ts";
import { whyNot } from "./reasons.ts";
import { tryDevice } from "./trial.ts";

/** Largest difference from the CPU, relative to its largest value, at which a device counts as correct. */
const tolerance = 1e-3;
const seconds = 30;

/** Tries a device in a separate process: whether it starts, whether its numbers agree with the CPU's, and its name. */
export async function probeDevice(device: Device, files: RuntimeFiles | undefined = runtimeFiles()): Promise<DeviceReport> {
  const base = { name: device, title: deviceTitles[device] };
  if (device === "cpu") return { ...base, available: true };
  if (files === undefined) return { ...base, available: false, reason: "onnxruntime-node is not installed" };
  const [trial, cards] = await Promise.all([tryDevice(device, { ...files, seconds }), graphicsCards()]);
  const { difference, speed = 0 } = trial;
  if (difference === undefined || difference > tolerance) {
    const place = path.join(path.dirname(files.binding), "../bin/napi-v6", process.platform, process.arch);
    const parts = { cuda: existsSync(path.join(place, "libonnxruntime_providers_cuda.so")) };
    return { ...base, available: false, reason: whyNot(device, trial, { seconds, parts, platform: process.platform, arch: process.arch }) };
  }
  const { name, software } = nameDevice(trial.drivers, cards);
  return { ...base, available: true, ...(name ? { device: name } : {}), software, speed: Number(speed.toPrecision(2)) };
}

/** Every device that can be named, found on this machine or not. */
export const probeDevices = (): Promise<DeviceReport[]> =>
  Promise.all(deviceNames.filter((name) => name !== "auto").map((name) => probeDevice(name)));

/** The device onnxruntime computes on; docs/adr/0005 says what `auto` chooses. */
export interface ChosenDevice {
  readonly device: Device;
  readonly name: string | undefined;
}

/**
 * The device that the user asked for, once it has passed its trial. `auto` is the CPU.
 * @throws BACKEND_UNAVAILABLE when a device that is asked for by name cannot be used: it is never replaced in silence
 */
export async function chooseDevice(wanted: DeviceName): Promise<ChosenDevice> {
  if (wanted === "auto" || wanted === "cpu") return { device: "cpu", name: undefined };
  const { available, device: name, reason, title } = await probeDevice(wanted);
  if (available) return { device: wanted, name };
  const fix = "Run `bulwark doctor` for what was found, or choose the device auto or cpu.";
  throw new BulwarkError("BACKEND_UNAVAILABLE", `The device ${title} cannot be used: ${reason}.`, fix);
}
