import type { tf, tfl } from "../../tf.ts";
import { linear, nearest } from "./interpolate.ts";
import { type LayerArgs, SingleInputLayer } from "./single.ts";

/** Lengths of an axis before and after, and the scale factor, which need not be their ratio. */
interface Axis {
  readonly from: number;
  readonly to: number;
  readonly scale: number;
}
const f = Math.fround; // onnxruntime computes places in float32, and the nearest pixel may depend on that

const halfPixel = (i: number, { scale }: Axis): number => f(f(f(i + 0.5) / f(scale)) - 0.5);
/** Where pixel i of the result lies among those of the input; ONNX' `coordinate_transformation_mode`. */
const coordinates = {
  halfPixel,
  pytorchHalfPixel: (i: number, axis: Axis): number => (axis.to === 1 ? 0 : halfPixel(i, axis)),
  alignCorners: (i: number, { from, to }: Axis): number => (to === 1 ? 0 : f(f(i * (from - 1)) / (to - 1))),
  asymmetric: (i: number, { scale }: Axis): number => f(i / f(scale)),
  tfHalfPixelForNn: (i: number, { scale }: Axis): number => f(f(i + 0.5) / f(scale)),
  halfPixelSymmetric: (i: number, axis: Axis): number => (axis.from / 2) * (1 - axis.to / (axis.from * axis.scale)) + halfPixel(i, axis),
};
/** ONNX' `nearest_mode`. */
const roundings = {
  roundPreferFloor: (at: number): number => Math.ceil(at - 0.5),
  roundPreferCeil: (at: number): number => Math.floor(at + 0.5),
  floor: Math.floor,
  ceil: Math.ceil,
};

interface ResizeConfig {
  readonly height: number;
  readonly width: number;
  /** Of the rows and of the columns; left out, the ratio of the sizes. */
  readonly scales?: readonly [number, number] | null;
  readonly mode?: "linear" | "nearest";
  readonly coordinates?: keyof typeof coordinates;
  readonly rounding?: keyof typeof roundings;
}

/**
 * Images [b,H,W,C] of another size, [b,height,width,C], bilinear or of the nearest pixels, without antialiasing. Source: ONNX Resize and
 * Upsample, with all their ways to place and to round but `tf_crop_and_resize`.
 */
export class Resize2D extends SingleInputLayer {
  static readonly className = "Resize2D";
  readonly settings: Required<ResizeConfig>;

  constructor(config: LayerArgs & ResizeConfig) {
    const {
      height,
      width,
      scales = null,
      mode = "linear",
      coordinates: way = "halfPixel",
      rounding = "roundPreferFloor",
      ...rest
    } = config;
    super(rest);
    if (!Object.hasOwn(coordinates, way) || !Object.hasOwn(roundings, rounding) || !["linear", "nearest"].includes(mode))
      throw new Error(`Layer ${this.name} resizes by "${mode}", "${way}" and "${rounding}", of which one is not known`);
    this.settings = { height, width, scales, mode, coordinates: way, rounding };
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    const { height, width, scales, mode, coordinates: way, rounding } = this.settings;
    const places = (from: number, to: number, scale = to / from): number[] =>
      Array.from({ length: to }, (_, i) => coordinates[way](i, { from, to, scale }));
    const image = x as tf.Tensor4D;
    const [rows, columns] = [places(image.shape[1], height, scales?.[0]), places(image.shape[2], width, scales?.[1])];
    if (mode === "linear") return linear(image, rows, columns);
    return nearest(image, rows.map(roundings[rounding]), columns.map(roundings[rounding]));
  }

  protected override shapeAfter([batch = null, , , channels = null]: tfl.Shape): tfl.Shape {
    return [batch, this.settings.height, this.settings.width, channels];
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), ...(this.settings as unknown as tf.serialization.ConfigDict) };
  }
}
