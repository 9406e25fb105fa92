import { type PublicSession, type PublicTensor, publicRuntime } from "./native.ts";

/** An ONNX model run by ONNX Runtime itself, node by node as in the file. */
export interface Reference {
  /** Outputs by name for one input. */
  run(type: string, data: ArrayLike<number>, dims: readonly number[]): Promise<Readonly<Record<string, PublicTensor>>>;
  close(): Promise<void>;
}

/**
 * Opens a model in ONNX Runtime without any optimisation, on one thread of the CPU. Undefined where ONNX Runtime is not installed.
 * @param model path, or the bytes of a model with all its weights
 * @throws Error with ONNX Runtime's message for a model that it rejects
 */
export async function openReference(model: string | Uint8Array): Promise<Reference | undefined> {
  const runtime = publicRuntime();
  if (!runtime) return undefined;
  const session: PublicSession = await runtime.InferenceSession.create(model, {
    executionProviders: ["cpu"],
    graphOptimizationLevel: "disabled",
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
  });
  return {
    run: (type, data, dims) => session.run({ [session.inputNames[0] as string]: new runtime.Tensor(type, data, dims) }),
    close: () => session.release(),
  };
}
