import { BulwarkError } from "../../shared/errors.ts";
import { tfl } from "../tf.ts";

/** Applies layers one after another. */
export const chain = (x: tfl.SymbolicTensor, ...layers: readonly tfl.layers.Layer[]): tfl.SymbolicTensor =>
  layers.reduce((y, layer) => layer.apply(y) as tfl.SymbolicTensor, x);

/** Pixels from [0,1] to [−1,1], as part of the network. */
export const centered = (): tfl.layers.Layer => tfl.layers.rescaling({ name: "center", scale: 2, offset: -1 });

/** @throws BulwarkError IMAGE_SIZE where a side of the image is below `smallest`. */
export function requireSize(id: string, [height, width]: readonly [number, number, number], smallest: number, fix: string): void {
  if (Math.min(height, width) >= smallest) return;
  throw new BulwarkError("IMAGE_SIZE", `${id} needs images of at least ${smallest}×${smallest}, not ${height}×${width}.`, fix);
}
