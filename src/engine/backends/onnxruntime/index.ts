import * as tf from "@tensorflow/tfjs-core";
import { BulwarkError } from "../../../shared/errors.ts";
import { OnnxBackend } from "./backend.ts";
import { withHost } from "./kernels/host.ts";
import { kernels } from "./kernels/index.ts";
import { loadNative, threadCount } from "./native.ts";

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

/** Registers the tfjs backend `onnxruntime` and returns its device in words. Throws when the native part cannot be loaded. */
export function prepare(): string {
  const threads = threadCount();
  const device = `ONNX Runtime, CPU, ${threads} ${threads === 1 ? "thread" : "threads"}`;
  if (tf.findBackendFactory(backendName)) return device;
  const native = loadNative();
  tf.registerBackend(backendName, () => new OnnxBackend(native, threads));
  for (const kernelName of new Set([...kernelNames(), ...Object.keys(kernels)]))
    tf.registerKernel({
      kernelName,
      backendName,
      kernelFunc: kernels[kernelName] ? withHost(kernelName, kernels[kernelName]) : refuse(kernelName),
    });
  return device;
}
