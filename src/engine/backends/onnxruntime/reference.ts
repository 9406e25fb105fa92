import { type PublicSession, type PublicTensor, publicRuntime } from "./native.ts";

/** An ONNX model that ONNX Runtime runs node by node, as the file has them. */
export interface Reference {
  /** Runs the model on its first input. Outputs by name. */
  run(type: string, data: ArrayLike<number>, dims: readonly number[]): Promise<Readonly<Record<string, PublicTensor>>>;
  close(): Promise<void>;
}

/** A model whose weights are in files of a folder. */
export interface Weightless {
  readonly model: Uint8Array;
  readonly folder: string;
}

/**
 * Opens a model in ONNX Runtime without optimisation, on one CPU thread. Undefined if ONNX Runtime is not installed.
 * @param model path, or the bytes of a model without external weights, or with the folder of these
 * @throws Error from ONNX Runtime if it rejects the model
 */
export async function openReference(model: string | Uint8Array | Weightless): Promise<Reference | undefined> {
  const runtime = publicRuntime();
  if (!runtime) return undefined;
  const isWeightless = typeof model === "object" && "folder" in model;
  const session: PublicSession = await runtime.InferenceSession.create(isWeightless ? model.model : model, {
    ...(isWeightless ? { extra: { session: { model_external_initializers_file_folder_path: model.folder } } } : {}),
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
