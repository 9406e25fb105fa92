import "@tensorflow/tfjs-backend-cpu";
import { MathBackendCPU } from "@tensorflow/tfjs-backend-cpu";
import { getKernel, type KernelFunc, type NamedTensorInfoMap, type TensorInfo } from "@tensorflow/tfjs-core";
import type { OnnxBackend } from "../backend.ts";
import { type Kernels, kernel } from "./kernel.ts";

/**
 * Kernels that are computed in JavaScript, by the cpu backend's own code on values that are read back first: their results' shapes depend
 * on values, or they work on text, or nothing on a hot path wants them. None is used by forward passes or gradients of our networks.
 */
const names = [
  "Bincount",
  "BitwiseAnd",
  "BroadcastArgs",
  "CropAndResize",
  "Cumprod",
  "DenseBincount",
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
    const lent = host.makeTensorInfo(info.shape, info.dtype, backend.readSync(info.dataId));
    held.push(lent);
    return lent;
  };
  const lentInputs = Object.fromEntries(
    Object.entries(inputs as Record<string, TensorInfo | TensorInfo[]>).map(([key, value]) => [
      key,
      Array.isArray(value) ? value.map(lend) : lend(value),
    ]),
  );
  const results = run({ inputs: lentInputs as NamedTensorInfoMap, attrs: attrs as never, backend: host });
  const take = (info: TensorInfo): TensorInfo => {
    held.push(info);
    return backend.adopt(host.readSync(info.dataId), info.shape, info.dtype);
  };
  const taken = Array.isArray(results) ? results.map(take) : take(results);
  for (const info of held) host.disposeData(info.dataId, true);
  return taken;
}

/** The written list above as kernels. */
export const hostKernels: Kernels = Object.fromEntries(
  names.map((name) => [name, kernel<object, object>(({ inputs, attrs, backend }) => onHost(backend, name, inputs, attrs ?? {}))]),
);
