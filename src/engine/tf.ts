import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops";
import "@tensorflow/tfjs-core/dist/register_all_gradients";
import * as tfl from "@tensorflow/tfjs-layers";
import { dependentReadScope, handedOverScope } from "./backends/scopes.ts";
import {
  boundedRelu as boundedReluOf,
  completeBatchNorm,
  type Dilations,
  dilateKernel as dilateKernelOf,
  type GroupedAttributes,
  gradientsOf,
  groupedConv2d as groupedConv2dOf,
  orderTape,
  registerKernels,
  repeated as repeatedOf,
  useActivations,
} from "./gradients/index.ts";

for (const gradient of gradientsOf(tf)) {
  if (tf.getGradient(gradient.kernelName)) tf.unregisterGradient(gradient.kernelName); // to replace one is a warning otherwise
  tf.registerGradient(gradient);
}
orderTape(tf);
registerKernels(tf);
completeBatchNorm(tf);
useActivations(tf);

/** The only door to tfjs: core operations as `tf`, layers as `tfl`. */
export { tf, tfl };

/** min(max(x, 0), bound), any shape, float32: one kernel with a gradient of its own, 1 between 0 and the bound and 0 outside. */
export const boundedRelu = (x: tf.Tensor, bound: number): tf.Tensor => boundedReluOf(tf, x, bound);

/** A convolution in groups of channels: x [b,H,W,C], filter [kh,kw,C/groups,O] → [b,H′,W′,O], float32. */
export const groupedConv2d = (x: tf.Tensor4D, filter: tf.Tensor4D, attributes: GroupedAttributes): tf.Tensor4D =>
  groupedConv2dOf(tf, x, filter, attributes) as tf.Tensor4D;

/** x repeated along its axes of length 1 until it has the shape, of the same rank. tfjs' own gradient of a tile adds slice by slice. */
export const repeated = (x: tf.Tensor, shape: readonly number[]): tf.Tensor => repeatedOf(tf, x, shape);

/** The elements of a kernel [kh,kw,a,b] with d − 1 zeros between neighbours: a plain convolution with it is the dilated one. */
export const dilateKernel = (filter: tf.Tensor4D, dilations: Dilations): tf.Tensor4D =>
  dilateKernelOf(tf, filter, dilations) as tf.Tensor4D;

/** Image batch [b,H,W,C], float32 in [0,1]. */
export type Images = tf.Tensor4D;
/** Which pixels of an image batch are meant, [b,H,W,1]: 1 or 0, float32. */
export type Mask = tf.Tensor4D;
/** Class scores before any softmax, [b,k]. */
export type Logits = tf.Tensor2D;
/** Class indices [b], int32. */
export type Labels = tf.Tensor1D;

/** One step of a loop: everything allocated inside is freed but the tensor returned. */
export const step = <T extends tf.Tensor>(body: () => T): T => tf.tidy(body);

/**
 * A read that the graph itself depends on (the order of slices follows from their pixels), so it cannot wait until the gradient is done.
 * Tests refuse any other read within a gradient; see backends/onnxruntime/gradientScope.ts.
 */
export function dependentRead(x: tf.Tensor): Float32Array {
  let values: Float32Array = new Float32Array();
  tf.tidy(dependentReadScope, () => {
    values = x.dataSync<"float32">();
  });
  return values;
}

/** A tensor over `values` without a copy of them: the caller must not write to the array before what is computed from the tensor has been read. */
export const handedOver = (values: Float32Array, shape: readonly number[]): tf.Tensor =>
  tf.tidy(handedOverScope, () => tf.tensor(values, [...shape]));

/**
 * Runs `f` as if no gradient were being taken around it, so that what it computes is a constant to that gradient, and it can take one of its own
 * where tfjs records nothing: within the forward pass of a `customGrad`.
 */
export function apart<T>(f: () => T): T {
  const { state } = tf.engine();
  const { gradientDepth, kernelDepth, activeTape } = state;
  Object.assign(state, { gradientDepth: 0, kernelDepth: 0, activeTape: undefined });
  try {
    return f();
  } finally {
    Object.assign(state, { gradientDepth, kernelDepth, activeTape });
  }
}

/** Reads a float32 tensor, in an array of the caller's own, and frees it. */
export async function valuesOf(tensor: tf.Tensor): Promise<Float32Array> {
  try {
    return Float32Array.from(await tensor.data());
  } finally {
    tensor.dispose();
  }
}
