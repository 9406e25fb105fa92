import "@tensorflow/tfjs-backend-cpu";
import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import { getKernel, type KernelFunc, type NamedTensorInfoMap, type TensorInfo } from "@tensorflow/tfjs-core";
import type { OnnxBackend } from "../backend.ts";
import { type Kernels, kernel } from "./kernel.ts";

/**
 * Kernels that are computed in JavaScript, by the cpu backend's own code on values that are read back first: their results' shapes depend
 * on values, or they work on text, or nothing on a hot path wants them. None is used by forward passes or gradients of our networks.
 */
export const hostNames = [
  "Bincount",
  "BitwiseAnd",
  "BroadcastArgs",
  "ComplexAbs",
  "CropAndResize",
  "Cumprod",
  "DenseBincount",
  "FFT",
  "IFFT",
  "Diag",
  "Dilation2D",
  "Dilation2DBackpropFilter",
  "Dilation2DBackpropInput",
  "MaxPoolWithArgmax",
  "Multinomial",
  "NonMaxSuppressionV3",
  "NonMaxSuppressionV4",
  "NonMaxSuppressionV5",
  "RaggedGather",
  "RaggedRange",
  "RaggedTensorToTensor",
  "Imag",
  "Real",
  "RotateWithOffset",
  "SearchSorted",
  "SparseFillEmptyRows",
  "SparseReshape",
  "SparseSegmentMean",
  "SparseSegmentSum",
  "SparseToDense",
  "StaticRegexReplace",
  "StringNGrams",
  "StringSplit",
  "StringToHashBucketFast",
  "Transform",
  "Unique",
] as const;

let helper: MathBackendCPU | undefined;
function cpu(): MathBackendCPU {
  if (!helper) {
    helper = new MathBackendCPU();
    Reflect.set(helper, "firstUse", false);
  }
  return helper;
}

/** Runs the cpu backend's kernel of that name on our tensors. */
export function onHost(backend: OnnxBackend, name: string, inputs: object, attrs: object): TensorInfo | TensorInfo[] {
  const run = getKernel(name, "cpu")?.kernelFunc as KernelFunc | undefined;
  if (!run) throw new Error(`the cpu backend has no ${name}`);
  const host = cpu();
  const held: TensorInfo[] = [];
  const lend = (info: TensorInfo): TensorInfo => {
    const { complex } = backend.entry(info);
    if (complex) {
      const parts = { real: lend({ ...complex.real, shape: info.shape }), imag: lend({ ...complex.imag, shape: info.shape }) };
      const joined = getKernel("Complex", "cpu")?.kernelFunc({ inputs: parts, attrs: {}, backend: host }) as TensorInfo;
      held.push(joined);
      return joined;
    }
    const lent = host.makeTensorInfo(info.shape, info.dtype, backend.readSync(info.dataId));
    held.push(lent);
    // Some of its kernels ask for a tensor's rank, which a bare description has not.
    return Object.assign(lent, { rank: info.shape.length });
  };
  const lentInputs = Array.isArray(inputs)
    ? inputs.map(lend)
    : Object.fromEntries(
        Object.entries(inputs as Record<string, TensorInfo | TensorInfo[]>).map(([key, value]) => [
          key,
          Array.isArray(value) ? value.map(lend) : lend(value),
        ]),
      );
  const results = run({ inputs: lentInputs as unknown as NamedTensorInfoMap, attrs: attrs as never, backend: host });
  const take = (info: TensorInfo): TensorInfo => {
    held.push(info);
    const parts = host.data.get(info.dataId).complexTensorInfos;
    if (parts) {
      const [real, imag] = [parts.real, parts.imag].map((part) => backend.adopt(host.readSync(part.dataId), part.shape, "float32"));
      if (!real || !imag) throw new Error("a complex tensor has two parts");
      const joined = backend.complex(real, imag);
      for (const part of [real, imag]) backend.disposeData(part.dataId);
      return { ...joined, shape: info.shape };
    }
    return backend.adopt(host.readSync(info.dataId), info.shape, info.dtype);
  };
  const taken = Array.isArray(results) ? results.map(take) : take(results);
  for (const info of held) host.disposeData(info.dataId, true);
  return taken;
}

/** The written list above as kernels. */
export const hostKernels: Kernels = {
  ...Object.fromEntries(
    hostNames.map((name) => [name, kernel<object, object>(({ inputs, attrs, backend }) => onHost(backend, name, inputs, attrs ?? {}))]),
  ),
  Complex: kernel<{ real: TensorInfo; imag: TensorInfo }>(({ inputs: { real, imag }, backend }) => backend.complex(real, imag)),
};

/** Not supported: kernels that the cpu backend has and this one refuses with an error that names them, with the reason. */
export const refused: Readonly<Record<string, string>> = {
  Draw: "it paints on a browser's canvas",
};

const aliases = new Set(["Identity", "Reshape", "ExpandDims"]);
const offGraph = (info: TensorInfo | undefined): boolean => info?.dtype === "string" || info?.dtype === "complex64";

/** Runs for every kernel, so it allocates nothing. */
function isAnyOffGraph(inputs: Readonly<Record<string, TensorInfo | TensorInfo[] | undefined>>): boolean {
  for (const name in inputs) {
    const input = inputs[name];
    if (Array.isArray(input) ? input.some(offGraph) : offGraph(input)) return true;
  }
  return false;
}

/** Text and complex numbers cannot enter a graph: any kernel that is given some runs on the host, whatever its lowering. */
export const withHost = (name: string, run: KernelFunc): KernelFunc =>
  aliases.has(name)
    ? run
    : kernel<Record<string, TensorInfo | TensorInfo[]>, object>(({ inputs, attrs, backend }) =>
        isAnyOffGraph(inputs)
          ? onHost(backend, name, inputs, attrs ?? {})
          : run({ inputs: inputs as NamedTensorInfoMap, attrs: attrs as never, backend }),
      );
