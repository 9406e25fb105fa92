/** What “Install GPU Runtime” can fetch. One folder for each below the one that BULWARK_GPU_RUNTIME names. */
export interface RuntimePart {
  /** Name of its folder. */
  readonly id: "tensorflow" | "onnxruntime";
  readonly title: string;
  /** npm package, at exactly this version: the one that the engine is built against. */
  readonly package: string;
  readonly version: string;
  /** Where its install script fetches the native part from. */
  readonly host: string;
  /** What must be on the machine before, and is not fetched. */
  readonly needs: string;
  /** Rough sizes in bytes: through the network, and on the disk while it is being installed. */
  readonly download: number;
  readonly disk: number;
  /** A file that is there only when the native part has come; `*` stands for one name. */
  readonly proof: readonly string[];
  /** Variables for the install script. */
  readonly environment: Readonly<Record<string, string>>;
}

export const runtimeParts: readonly RuntimePart[] = [
  {
    id: "onnxruntime",
    title: "ONNX Runtime's CUDA provider",
    package: "onnxruntime-node",
    version: "1.30.0",
    host: "api.nuget.org",
    needs: "CUDA 12 and cuDNN 9",
    download: 0.4e9,
    disk: 1.5e9,
    proof: ["bin", "napi-v6", "linux", "x64", "libonnxruntime_providers_cuda.so"],
    environment: { ONNXRUNTIME_NODE_INSTALL: "true" },
  },
  {
    id: "tensorflow",
    title: "TensorFlow for NVIDIA GPUs",
    package: "@tensorflow/tfjs-node-gpu",
    version: "4.22.0",
    host: "storage.googleapis.com",
    needs: "CUDA 11.2 and cuDNN 8.1",
    download: 0.6e9,
    disk: 2.5e9,
    proof: ["lib", "*", "tfjs_binding.node"],
    environment: {},
  },
];

export const runtimePart = (id: RuntimePart["id"]): RuntimePart => {
  const part = runtimeParts.find((one) => one.id === id);
  if (!part) throw new Error(`no part ${id}`);
  return part;
};
