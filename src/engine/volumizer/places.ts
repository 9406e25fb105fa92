import { tf } from "../tf.ts";
import type { Grid } from "./grid.ts";

/** Channels that `withPlaces` adds. */
export const placeChannels = 2;

/**
 * Adds two channels to a volume [b,Z,p_h,p_w,C]: row and column in the image of the slice that lies at each place, from 0 (first) to 1 (last),
 * the same for all its pixels. A slice keeps them wherever the measure puts it, and they are no part of its content: no pixel changes them.
 * @param perms those that `volumize` gave
 */
export function withPlaces(volume: tf.Tensor5D, perms: Int32Array, grid: Grid): tf.Tensor5D {
  const [b, Z, height, width] = volume.shape;
  const values = new Float32Array(placeChannels * b * Z);
  const share = (i: number, of: number): number => (of > 1 ? i / (of - 1) : 0);
  perms.forEach((slice, i) => {
    values[placeChannels * i] = share(Math.floor(slice / grid.columns), grid.rows);
    values[placeChannels * i + 1] = share(slice % grid.columns, grid.columns);
  });
  return tf.tidy(() => {
    const places = tf.tile(tf.tensor5d(values, [b, Z, 1, 1, placeChannels]), [1, 1, height, width, 1]);
    return tf.concat([volume, places], 4);
  });
}
