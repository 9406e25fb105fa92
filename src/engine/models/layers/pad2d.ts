import { tf, type tfl } from "../../tf.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";
import { take } from "./take.ts";
import { padsOf, type Sides } from "./windows.ts";

export type PadMode = "constant" | "reflect" | "symmetric" | "edge" | "wrap";
interface PadConfig {
  /** Of the rows and of the columns. */
  readonly padding: readonly [Sides, Sides];
  readonly mode?: PadMode;
  /** Of the pixels outside, in the mode "constant". */
  readonly value?: number;
}

/**
 * Pixels around images, [b,H,W,C] → [b,H′,W′,C]: a constant, mirrored about the pixel at the edge, which is not repeated ("reflect") or is
 * ("symmetric"), that pixel itself ("edge"), or those of the other side ("wrap"). The gradient of tfjs' own mirrored padding is wrong.
 * Source: ONNX Pad, TensorFlow MirrorPad.
 */
export class Pad2D extends SingleInputLayer {
  static readonly className = "Pad2D";
  readonly padding: readonly [Sides, Sides];
  readonly mode: PadMode;
  readonly value: number;

  constructor({ padding, mode = "constant", value = 0, ...config }: LayerArgs & PadConfig) {
    super(config);
    if (!["constant", ...Object.keys(placeOf)].includes(mode)) throw new Error(`Layer ${this.name} pads by "${mode}", which is not known`);
    if (padding.flat().some((side) => side < 0)) throw new Error(`Layer ${this.name} has a negative padding`);
    this.padding = padding;
    this.mode = mode;
    this.value = value;
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const { mode } = this;
    if (mode === "constant") return tf.pad(x, padsOf(this.padding), this.value);
    return this.padding.reduce((padded, [before, after], i) => {
      const size = x.shape[i + 1] ?? 0;
      const places = Array.from({ length: before + size + after }, (_, place) => placeOf[mode](place - before, size));
      return before + after === 0 ? padded : take(padded, places, i + 1);
    }, x);
  }

  protected override shapeAfter(shape: tfl.Shape): tfl.Shape {
    return shape.map((side, axis) => {
      const [before, after] = this.padding[axis - 1] ?? [0, 0];
      return side === null ? null : before + side + after;
    });
  }

  override getConfig(): tf.serialization.ConfigDict {
    const { padding, mode, value } = this;
    return { ...super.getConfig(), padding: padding as unknown as number[][], mode, value };
  }
}

const modulo = (at: number, period: number): number => ((at % period) + period) % period;

/** Which of `size` pixels stands at a place, counted from the first of them. */
export const placeOf: Readonly<Record<Exclude<PadMode, "constant">, (at: number, size: number) => number>> = {
  edge: (at, size) => Math.min(size - 1, Math.max(0, at)),
  wrap: modulo,
  reflect(at, size) {
    if (size === 1) return 0;
    const turn = modulo(at, 2 * (size - 1));
    return Math.min(turn, 2 * (size - 1) - turn);
  },
  symmetric(at, size) {
    const turn = modulo(at, 2 * size);
    return Math.min(turn, 2 * size - 1 - turn);
  },
};
