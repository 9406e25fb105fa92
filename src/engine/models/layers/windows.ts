import type { tf, tfl } from "../../tf.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";

/** Pixels before and after an axis. */
export type Sides = readonly [before: number, after: number];
/** A window that moves over rows and columns. */
export interface Window {
  readonly poolSize: readonly [number, number];
  readonly strides: readonly [number, number];
  /** Of the rows and of the columns. */
  readonly padding: readonly [Sides, Sides];
}

/** Padding of rows and columns as tfjs takes it for [b,H,W,C]. */
export const padsOf = ([rows, columns]: Window["padding"]): [[number, number], [number, number], [number, number], [number, number]] => [
  [0, 0],
  [...rows],
  [...columns],
  [0, 0],
];

/** Places of a window along an axis, the last one wholly inside the padded axis. */
export const placesOf = (input: number, size: number, stride: number, [before, after]: Sides): number =>
  Math.floor((input + before + after - size) / stride) + 1;

/**
 * The padding that makes a window with `ceil_mode` one without: as many pixels more behind the axis as its last place reaches beyond it. A
 * place that would begin in the padding behind does not count. Source: ONNX, MaxPool-12 and AveragePool-11.
 */
export function withOverhang(input: number, size: number, stride: number, [before, after]: Sides): Sides {
  let places = Math.ceil((input + before + after - size) / stride) + 1;
  if ((places - 1) * stride >= input + before) places--;
  return [before, Math.max(after, (places - 1) * stride + size - input - before)];
}

/** Pooling with any number of pixels on each side, [b,H,W,C] → [b,H′,W′,C]. */
export abstract class PaddedPool extends SingleInputLayer {
  readonly window: Window;

  constructor({ poolSize, strides, padding, ...config }: LayerArgs & Window) {
    super(config);
    this.window = { poolSize, strides, padding };
  }

  protected override shapeAfter([batch = null, height = null, width = null, channels = null]: tfl.Shape): tfl.Shape {
    const { poolSize, strides, padding } = this.window;
    const side = (input: number | null, axis: 0 | 1): number | null =>
      input === null ? null : placesOf(input, poolSize[axis], strides[axis], padding[axis]);
    return [batch, side(height, 0), side(width, 1), channels];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...(this.window as unknown as tf.serialization.ConfigDict) };
  }
}
