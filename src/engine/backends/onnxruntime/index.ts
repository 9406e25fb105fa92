import * as tf from "@tensorflow/tfjs-core";
import type { Device } from "../../../shared/devices.ts";
import { BulwarkError } from "../../../shared/errors.ts";
import { OnnxBackend } from "./backend.ts";
import { withHost } from "./kernels/host.ts";
import { kernels } from "./kernels/index.ts";
import { deviceText, loadNative, type Native, threadCount } from "./native.ts";

const backendName = "onnxruntime";

/** Every kernel that tfjs has and we have not raises an error that names it, in place of tfjs' own, which says nothing of what to do. */
function refuse(kernelName: string): tf.KernelFunc {
  return () => {
    throw new BulwarkError(
      "KERNEL_UNSUPPORTED",
      `The onnxruntime backend has no ${kernelName} kernel.`,
      "Choose the backend cpu or wasm for this model, and report the kernel's name.",
    );
  };
}

// tfjs does without a FromPixels kernel where there is none.
const kernelNames = (): string[] =>
  Object.values<unknown>({ ...tf }).flatMap((value) =>
    typeof value === "string" && /^_?[A-Z]\w+$/.test(value) && value !== "FromPixels" ? [value] : [],
  );

/** The device graphs run on and the name its vendor gives it. */
export interface DeviceChoice {
  readonly device: Device;
  readonly name?: string | undefined;
}

/** Registers the tfjs backend `onnxruntime` and returns its device in words. Throws when the native part cannot be loaded. */
export function prepare(choice: DeviceChoice = { device: "cpu" }, native: () => Native = loadNative): string {
  const threads = threadCount();
  const { device, name } = choice;
  if (tf.findBackendFactory(backendName)) {
    const current = tf.findBackend(backendName);
    if (!(current instanceof OnnxBackend) || current.device === device) return deviceText(device, threads, name);
    tf.removeBackend(backendName);
  }
  const part = native();
  tf.registerBackend(backendName, () => new OnnxBackend(part, threads, { device, name }));
  if (tf.getKernelsForBackend(backendName).length === 0) registerKernels();
  return deviceText(device, threads, name);
}

function registerKernels(): void {
  for (const kernelName of new Set([...kernelNames(), ...Object.keys(kernels)]))
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: kernels[kernelName] ? withHost(kernelName, kernels[kernelName]) : refuse(kernelName),
    });
}
