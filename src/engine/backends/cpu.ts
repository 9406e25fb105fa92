import "@tensorflow/tfjs-backend-cpu";
import { findBackend } from "@tensorflow/tfjs-core";
import { correctAveragePooling } from "./cpuPooling.ts";

correctAveragePooling();

/** Plain JavaScript: always available, slow, and the reference that the other backends are compared with. */
export const device = "JavaScript";

/** Creates the backend and suppresses its advice to install tfjs-node. */
export function prepare(): string {
  const backend = findBackend("cpu");
  if (backend) Reflect.set(backend, "firstUse", false);
  return device;
}
