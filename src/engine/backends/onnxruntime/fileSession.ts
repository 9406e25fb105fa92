import { loadNative, type NativeSession, type NativeTensor, runtimeFiles, threadCount } from "./native.ts";

/** Types of numbers that a file may take or give here. */
export type NumberType = "float32" | "float64" | "uint8";

/** A model file that ONNX Runtime runs as it is, on the CPU. */
export interface FileSession {
  /** @returns the output of that name @throws Error from ONNX Runtime, or for an output that is no tensor of floats */
  run(input: FileInput, output: string): { readonly dims: readonly number[]; readonly data: Float32Array };
  dispose(): void;
}
export interface FileInput {
  readonly name: string;
  readonly type: NumberType;
  readonly data: Float32Array;
  readonly dims: readonly number[];
}

/** The binding takes a path as well, and reads weights beside the file itself. */
type FromFile = NativeSession & { loadModel(path: string, options: object): void };

/**
 * Opens a model file in ONNX Runtime, whose optimisations are on. Runs are synchronous, as tfjs' own are. Undefined if ONNX Runtime is not
 * installed. @throws Error from ONNX Runtime if it rejects the file
 */
export function openSession(file: string): FileSession | undefined {
  if (!runtimeFiles()) return undefined;
  const native = loadNative();
  const session = native.create() as FromFile;
  session.loadModel(file, {
    executionProviders: ["cpu"],
    intraOpNumThreads: threadCount(),
    interOpNumThreads: 1,
    graphOptimizationLevel: "all",
    logSeverityLevel: 4,
    // Sums of 8-bit products that older x86 processors would saturate are computed exactly, as on any other processor.
    extra: { session: { intra_op: { allow_spinning: "0" }, x64quantprecision: "1" } },
  });
  return {
    run({ name, type, data, dims }, output) {
      const numbers = type === "uint8" ? Uint8Array.from(data) : type === "float64" ? Float64Array.from(data) : data;
      const given = native.tensor(type as "float32", numbers as Float32Array, dims);
      const found = session.run({ [name]: given }, { [output]: null }, {})[output] as NativeTensor | undefined;
      if (!found || !["float32", "float64"].includes(found.type))
        throw new Error(`its output is ${found?.type ?? "no tensor"}, not float32`);
      return { dims: found.dims, data: Float32Array.from(found.data) };
    },
    dispose: () => session.dispose(),
  };
}
