import {
  backend_util,
  type Conv2DBackpropFilterAttrs,
  type KernelFunc,
  matMul,
  pad,
  registerKernel,
  reshape,
  stack,
  stridedSlice,
  type Tensor,
  type Tensor4D,
  tidy,
} from "@tensorflow/tfjs-core";

/**
 * The gradient of a convolution with respect to its filter, which the WebAssembly backend lacks: for every place of the filter the product
 * of the pixels that it saw with what came of them. tfjs wants it even for the gradient with respect to the image, where bias or
 * activation are fused into the convolution. (The backend's own one for volumes is wrong for strides above 1.)
 */
function filterGradient(x: Tensor4D, dy: Tensor4D, attrs: Conv2DBackpropFilterAttrs): Tensor {
  const { strides, dimRoundingMode, filterShape } = attrs;
  const padding = attrs.pad as Parameters<typeof backend_util.computeConv2DInfo>[4];
  const { padInfo, strideHeight, strideWidth } = backend_util.computeConv2DInfo(x.shape, filterShape, strides, 1, padding, dimRoundingMode);
  const [rows, columns, channels, filters] = filterShape;
  const [b, outHeight, outWidth] = dy.shape;
  return tidy(() => {
    const padded = pad(x, [
      [0, 0],
      [padInfo.top, padInfo.bottom],
      [padInfo.left, padInfo.right],
      [0, 0],
    ]);
    const results = reshape(dy, [-1, filters]);
    const products = Array.from({ length: rows * columns }, (_, place) => {
      const [top, left] = [Math.floor(place / columns), place % columns];
      const end = [b, top + (outHeight - 1) * strideHeight + 1, left + (outWidth - 1) * strideWidth + 1, channels];
      const seen = stridedSlice(padded, [0, top, left, 0], end, [1, strideHeight, strideWidth, 1]);
      return matMul(reshape(seen, [-1, channels]), results, true, false);
    });
    return reshape(stack(products), filterShape);
  });
}

/** Kernels that tfjs-backend-wasm lacks and attacks need. */
export function registerWasmKernels(): void {
  const kernelFunc = (({ inputs, attrs }: { inputs: { x: Tensor4D; dy: Tensor4D }; attrs: Conv2DBackpropFilterAttrs }) =>
    filterGradient(inputs.x, inputs.dy, attrs)) as unknown as KernelFunc;
  registerKernel({ kernelName: "Conv2DBackpropFilter", backendName: "wasm", kernelFunc });
}
