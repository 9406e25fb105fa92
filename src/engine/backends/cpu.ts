import "@tensorflow/tfjs-backend-cpu";
import { findBackend } from "@tensorflow/tfjs-core";
import { correctAveragePooling } from "./cpuPooling.ts";

correctAveragePooling();

/** Plain JavaScript: always there, slow, and the reference that the other backends are held against. */
export const device = "JavaScript";

/** Makes the backend and keeps it from printing its advice to install tfjs-node, which is not ours to give. */
export function prepare(): string {
  const backend = findBackend("cpu");
  if (backend) Reflect.set(backend, "firstUse", false);
  return device;
}
