import { tf } from "../tf.ts";
import type { Grid } from "./grid.ts";

/**
 * A line of a slice is contiguous in the image too: [b,H,W,C] seen as rows of p_w·C numbers makes the volumizer one gather of rows.
 * Returns, for every line of the volume, the row of the image that it is.
 */
export function lineSources(perms: Int32Array, b: number, grid: Grid): Int32Array {
  const { Z, sliceHeight, columns } = grid;
  const sources = new Int32Array(b * Z * sliceHeight);
  let at = 0;
  for (let n = 0; n < b; n++) {
    for (let z = 0; z < Z; z++) {
      const slice = perms[n * Z + z] as number;
      const first = (n * grid.rows + Math.floor(slice / columns)) * sliceHeight * columns + (slice % columns);
      for (let y = 0; y < sliceHeight; y++) sources[at++] = first + y * columns;
    }
  }
  return sources;
}

export function inverse(sources: Int32Array): Int32Array {
  const result = new Int32Array(sources.length);
  sources.forEach((from, to) => {
    result[from] = to;
  });
  return result;
}

/** Row i of the result is row sources[i] of x. The gradient gathers by the inverse, which every backend can do. */
export function permuteRows(x: tf.Tensor, sources: Int32Array): tf.Tensor {
  const permute = tf.customGrad((input) => ({
    value: tf.gather(input as tf.Tensor, tf.tensor1d(sources, "int32")),
    gradFunc: (dy) => permuteRows(dy as tf.Tensor, inverse(sources)),
  }));
  return permute(x);
}
