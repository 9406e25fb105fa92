import { tf, type tfl } from "../../tf.ts";
import { linear, nearest } from "./interpolate.ts";
import { SingleInputLayer } from "./single.ts";

interface SizeConfig {
  readonly height: number;
  readonly width: number;
  readonly interpolation?: string;
  readonly cropToAspectRatio?: boolean;
  readonly name?: string;
}

/** [b,H,W,C] → [b,height,width,C] with half-pixel centres, as Keras has it. */
export function resized(x: tf.Tensor4D, height: number, width: number, isNearest = false): tf.Tensor4D {
  const [, h, w] = x.shape;
  if (h === height && w === width) return x;
  const centres = (from: number, to: number): number[] => Array.from({ length: to }, (_, i) => ((i + 0.5) * from) / to);
  const [rows, columns] = [centres(h, height), centres(w, width)];
  if (isNearest) return nearest(x, rows.map(Math.floor), columns.map(Math.floor));
  const shifted = (places: readonly number[]): number[] => places.map((place) => place - 0.5);
  return linear(x, shifted(rows), shifted(columns));
}

/** The largest centred part of the requested aspect ratio (Keras' `smart_resize`). */
function centred(x: tf.Tensor4D, height: number, width: number): tf.Tensor4D {
  const [b, h, w, c] = x.shape;
  const [tall, wide] = [Math.min(h, Math.floor((w * height) / width)), Math.min(w, Math.floor((h * width) / height))];
  return tf.slice(x, [0, Math.floor((h - tall) / 2), Math.floor((w - wide) / 2), 0], [b, tall, wide, c]);
}

/** What both layers share: a size that their output has. */
abstract class Sized extends SingleInputLayer {
  readonly height: number;
  readonly width: number;

  constructor({ height, width, ...config }: SizeConfig) {
    super(config);
    this.height = height;
    this.width = width;
  }

  protected override shapeAfter([b = null, , , c = null]: tfl.Shape): tfl.Shape {
    return [b, this.height, this.width, c];
  }

  protected override compute(x: tf.Tensor): tf.Tensor {
    return this.fit(x as tf.Tensor4D);
  }

  protected abstract fit(x: tf.Tensor4D): tf.Tensor4D;

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), height: this.height, width: this.width };
  }
}

/**
 * Keras' `Resizing`: bilinear or nearest, half-pixel centres, without antialiasing. That of tfjs aligns corners, ignores the crop and
 * loses the batch axis of its shape; this one takes its place.
 */
export class Resizing extends Sized {
  static readonly className = "Resizing";
  readonly interpolation: string;
  readonly cropToAspectRatio: boolean;

  constructor(config: SizeConfig) {
    super(config);
    this.interpolation = config.interpolation ?? "bilinear";
    this.cropToAspectRatio = config.cropToAspectRatio ?? false;
    if (!/^(bilinear|nearest)$/.test(this.interpolation))
      throw new Error(`Layer ${this.name} resizes by "${this.interpolation}"; only bilinear and nearest can be computed`);
  }

  protected override fit(x: tf.Tensor4D): tf.Tensor4D {
    const part = this.cropToAspectRatio ? centred(x, this.height, this.width) : x;
    return resized(part, this.height, this.width, this.interpolation === "nearest");
  }

  override getConfig(): tf.serialization.ConfigDict {
    return { ...super.getConfig(), interpolation: this.interpolation, cropToAspectRatio: this.cropToAspectRatio };
  }
}

/** Keras' `CenterCrop`: the middle of the image; of one that is too small, its middle part enlarged. That of tfjs is off by a pixel. */
export class CenterCrop extends Sized {
  static readonly className = "CenterCrop";

  protected override fit(x: tf.Tensor4D): tf.Tensor4D {
    const [b, h, w, c] = x.shape;
    const [top, left] = [Math.floor((h - this.height) / 2), Math.floor((w - this.width) / 2)];
    if (h >= this.height && w >= this.width) return tf.slice(x, [0, top, left, 0], [b, this.height, this.width, c]);
    return resized(centred(x, this.height, this.width), this.height, this.width);
  }
}
