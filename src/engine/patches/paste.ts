import { type Images, tf } from "../tf.ts";
import { addGradient, pasteInto, type Warp } from "./warp.ts";

/**
 * Images [b,H,W,C] with the patch `colours` [h,w,C] pasted on each by its own warp. Differentiable in both: the sampling and its
 * transpose are computed in main memory, so that no backend needs a scatter (wasm has none), and what is pasted is the same on all of
 * them. Reads its arguments. The caller disposes.
 */
export function paste(images: Images, colours: tf.Tensor3D, warps: readonly Warp[]): Images {
  const [b, height, width, channels] = images.shape;
  if (warps.length !== b) throw new Error(`${warps.length} places for ${b} images`);
  const size = height * width * channels;
  const op = tf.customGrad((x, p) => {
    const pasted = Float32Array.from((x as Images).dataSync());
    const patch = (p as tf.Tensor3D).dataSync();
    warps.forEach((warp, i) => {
      pasteInto(pasted.subarray(i * size, (i + 1) * size), patch, warp, channels);
    });
    return {
      value: tf.tensor4d(pasted, images.shape),
      gradFunc: (dy) => {
        const gradient = (dy as Images).dataSync();
        const sum = new Float32Array(colours.size);
        warps.forEach((warp, i) => {
          addGradient(sum, gradient, warp, channels, i * size);
        });
        return [tf.mul(dy as Images, uncovered(warps, height, width)), tf.tensor3d(sum, colours.shape)];
      },
    };
  });
  return op(images, colours) as Images;
}

/** 1 − w of every pixel, [b,H,W,1]: how much of the image shows. */
function uncovered(warps: readonly Warp[], height: number, width: number): Images {
  const keep = new Float32Array(warps.length * height * width).fill(1);
  warps.forEach(({ pixels, alpha }, i) => {
    pixels.forEach((pixel, n) => {
      keep[i * height * width + pixel] = 1 - (alpha[n] as number);
    });
  });
  return tf.tensor4d(keep, [warps.length, height, width, 1]);
}
