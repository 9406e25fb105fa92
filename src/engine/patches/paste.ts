import { type Images, tf } from "../tf.ts";
import type { Patch } from "./patch.ts";
import { addGradient, pasteInto, type Warp } from "./warp.ts";

/** Images, one after the other, with the patch pasted on each by its own warp: a copy. In main memory, so that it is the same on every backend. */
export function pasted(images: Float32Array, patch: Patch, warps: readonly Warp[]): Float32Array {
  const size = images.length / warps.length;
  if (!Number.isInteger(size)) throw new Error(`${warps.length} places for ${images.length} values`);
  const copy = Float32Array.from(images);
  warps.forEach((warp, i) => {
    pasteInto(copy.subarray(i * size, (i + 1) * size), patch.pixels, warp, patch.channels);
  });
  return copy;
}

/** The same for images [b,H,W,C] of the backend, which are read. The caller disposes. */
export async function paste(images: Images, patch: Patch, warps: readonly Warp[]): Promise<Images> {
  if (warps.length !== images.shape[0]) throw new Error(`${warps.length} places for ${images.shape[0]} images`);
  return tf.tensor4d(pasted(Float32Array.from(await images.data()), patch, warps), images.shape);
}

/** What a gradient with respect to the pasted images, one after the other, means for the patch's colours [h,w,C]: the sum over all images. */
export function patchGradient(gradient: Float32Array, patch: Patch, warps: readonly Warp[]): Float32Array {
  const sum = new Float32Array(patch.pixels.length);
  warps.forEach((warp, i) => {
    addGradient(sum, gradient, warp, patch.channels, (i * gradient.length) / warps.length);
  });
  return sum;
}
