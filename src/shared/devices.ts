import type { DeviceReport } from "./protocol.ts";

/** What ONNX Runtime can compute on: values of the setting `bulwark.engine.device` and of `--device`. */
export const deviceNames = ["auto", "cpu", "webgpu", "cuda", "directml", "coreml"] as const;
export type DeviceName = (typeof deviceNames)[number];
/** One that is not left to us. */
export type Device = Exclude<DeviceName, "auto">;

export const isDeviceName = (name: string): name is DeviceName => deviceNames.some((known) => known === name);

export const deviceTitles: Readonly<Record<Device, string>> = {
  cpu: "CPU",
  webgpu: "WebGPU",
  cuda: "CUDA",
  directml: "DirectML",
  coreml: "CoreML",
};

/** What the doctor found of a device, in one line. */
export function deviceNote(found: DeviceReport): string {
  if (!found.available) return found.reason ?? "";
  const speed = found.speed === undefined ? "" : `${found.speed} × the CPU's speed on the trial`;
  return [found.device, speed].filter(Boolean).join(", ");
}
