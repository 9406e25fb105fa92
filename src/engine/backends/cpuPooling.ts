import {
  type AvgPool3DGradAttrs,
  type AvgPoolGradAttrs,
  backend_util,
  getKernel,
  type KernelFunc,
  registerKernel,
  type TensorInfo,
  unregisterKernel,
} from "@tensorflow/tfjs-core";

type Shape4 = [number, number, number, number];
type Shape5 = [number, number, number, number, number];
type Attributes = (AvgPoolGradAttrs | AvgPool3DGradAttrs) & { dimRoundingMode?: "floor" | "round" | "ceil" };
interface Call {
  readonly inputs: { readonly dy: TensorInfo; readonly input: TensorInfo };
  readonly attrs: Attributes;
  readonly backend: {
    readSync(dataId: object): Float32Array;
    makeTensorInfo(shape: number[], dtype: "float32", values: Float32Array): TensorInfo;
    disposeIntermediateTensorInfo(info: TensorInfo): void;
  };
}

/** For every position of the window along one axis: window size divided by the part of it inside the input. */
const excess = (size: number, kernel: number, stride: number, before: number, places: number): number[] =>
  Array.from({ length: places }, (_, i) => {
    const begin = i * stride - before;
    return kernel / Math.max(1, Math.min(begin + kernel, size) - Math.max(begin, 0));
  });

/** The excess along each spatial axis of the pool. */
function excesses(shape: readonly number[], { filterSize, strides, pad, dimRoundingMode }: Attributes): number[][] {
  if (shape.length === 4) {
    const i = backend_util.computePool2DInfo(shape as Shape4, filterSize as number, strides as number, 1, pad, dimRoundingMode);
    return [
      excess(i.inHeight, i.filterHeight, i.strideHeight, i.padInfo.top, i.outHeight),
      excess(i.inWidth, i.filterWidth, i.strideWidth, i.padInfo.left, i.outWidth),
    ];
  }
  const i = backend_util.computePool3DInfo(shape as Shape5, filterSize as number, strides as number, 1, pad as "same", dimRoundingMode);
  return [
    excess(i.inDepth, i.filterDepth, i.strideDepth, i.padInfo.front, i.outDepth),
    excess(i.inHeight, i.filterHeight, i.strideHeight, i.padInfo.top, i.outHeight),
    excess(i.inWidth, i.filterWidth, i.strideWidth, i.padInfo.left, i.outWidth),
  ];
}

function correct(kernelName: string): void {
  const original = getKernel(kernelName, "cpu").kernelFunc as unknown as (call: Call) => TensorInfo;
  const corrected = (call: Call): TensorInfo => {
    const { inputs, attrs, backend } = call;
    const axes = excesses(inputs.input.shape, attrs);
    const factors = axes.reduce<number[]>((found, axis) => found.flatMap((factor) => axis.map((more) => factor * more)), [1]);
    const channels = inputs.dy.shape.at(-1) ?? 1;
    const dy = backend.readSync(inputs.dy.dataId).map((value, i) => value * (factors[Math.floor(i / channels) % factors.length] ?? 1));
    const enlarged = backend.makeTensorInfo(inputs.dy.shape, "float32", dy);
    const result = original({ ...call, inputs: { ...inputs, dy: enlarged } });
    backend.disposeIntermediateTensorInfo(enlarged);
    return result;
  };
  unregisterKernel(kernelName, "cpu");
  registerKernel({ kernelName, backendName: "cpu", kernelFunc: corrected as unknown as KernelFunc });
}

/**
 * The cpu backend averages over the elements inside the input, but divides the gradient by the whole window, padding included. The
 * incoming gradient is scaled up to match, so that networks with padded average pools (Inception's) get correct gradients.
 */
export function correctAveragePooling(): void {
  correct("AvgPoolGrad");
  correct("AvgPool3DGrad");
}
