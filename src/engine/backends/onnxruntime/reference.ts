import { type PublicModule, type PublicSession, type PublicTensor, publicRuntime } from "./native.ts";

/** An ONNX model that ONNX Runtime runs node by node, as the file has them. */
export interface Reference {
  /**
   * Runs the model. Its other inputs, which the scores do not depend on, are zeros. Outputs by name.
   * @throws Error from ONNX Runtime
   */
  run(input: ReferenceInput): Promise<Readonly<Record<string, PublicTensor>>>;
  close(): Promise<void>;
}

export interface ReferenceInput extends PublicTensor {
  readonly name: string;
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
    run: async ({ name, type, data, dims }) => {
      const others = session.inputMetadata
        .filter((input) => input.name !== name)
        .map((input) => [input.name, zeros(runtime, input)] as const);
      return session.run({ ...Object.fromEntries(others), [name]: new runtime.Tensor(type, data, dims) });
    },
    close: () => session.release(),
  };
}

/** Most numbers in an input that the scores do not depend on. */
const mostUnused = 1 << 24;

/** An input of zeros, or of empty texts, with 1 for sizes that the file leaves open. */
function zeros({ Tensor }: PublicModule, { name, type = "", shape = [] }: PublicSession["inputMetadata"][number]): PublicTensor {
  const dims = shape.map((side) => (typeof side === "number" && side >= 0 ? side : 1));
  const count = dims.reduce((product, side) => product * side, 1);
  if (count > mostUnused) throw new Error(`its input '${name}', which its scores do not depend on, has ${count} numbers`);
  if (type === "string") return new Tensor(type, new Array(count).fill(""), dims);
  if (type === "float16") return new Tensor(type, new Uint16Array(count), dims);
  const isBig = type === "int64" || type === "uint64";
  return new Tensor(type, new Array(count).fill(isBig ? 0n : 0), dims);
}
