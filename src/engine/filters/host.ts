import { dependentRead, type Images, tf } from "../tf.ts";

/** What an image [H,W,C] of values in [0,1] becomes; it must not keep or change the array that it is given. */
export type ImageFilter = (
  pixels: Float32Array,
  shape: readonly [height: number, width: number, channels: number],
  /** Of the image in its batch. */
  index: number,
) => Float32Array;

/** Images [b,H,W,C] filtered one by one in main memory, for filters whose every pixel waits for another. */
export function filtered(x: Images, filter: ImageFilter): Images {
  const [b, h, w, c] = x.shape;
  const size = h * w * c;
  const pixels = dependentRead(x);
  const result = new Float32Array(b * size);
  for (let i = 0; i < b; i++) result.set(filter(pixels.subarray(i * size, (i + 1) * size), [h, w, c], i), i * size);
  return tf.tensor4d(result, x.shape);
}
