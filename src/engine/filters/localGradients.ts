import { type Images, tf } from "../tf.ts";

export interface LocalGradients {
  /** Factor λ of the normalised gradient. */
  readonly lambda: number;
  /** Side τ of a block, in pixels. */
  readonly window: number;
  /** Pixels that neighbouring blocks share. */
  readonly overlap: number;
  /** Mean gradient γ above which a block is suppressed. */
  readonly threshold: number;
  readonly operator: "forward" | "sobel";
  /** One gradient, of the brightness, or one for each channel. */
  readonly channels: "luminance" | "perChannel";
}

/** Where blocks begin along an axis of n pixels: one stride apart, and a last one that ends with the axis. */
export function blockStarts(n: number, window: number, overlap: number): number[] {
  if (n <= window) return [0];
  const stride = window - overlap;
  const starts = Array.from({ length: Math.floor((n - window) / stride) + 1 }, (_, i) => i * stride);
  return starts.at(-1) === n - window ? starts : [...starts, n - window];
}

/** [blocks, n]: 1 where a block covers a place of the axis. */
function cover(n: number, { window, overlap }: LocalGradients): tf.Tensor2D {
  const starts = blockStarts(n, window, overlap);
  const covered = new Float32Array(starts.length * n);
  for (const [i, start] of starts.entries()) covered.fill(1, i * n + start, i * n + Math.min(start + window, n));
  return tf.tensor2d(covered, [starts.length, n]);
}

/** Brightness [b,H,W]: 0.299 R + 0.587 G + 0.114 B, or the only channel. */
function luminance(x: Images): tf.Tensor3D {
  const [b, h, w, c] = x.shape;
  const weights = c === 3 ? [0.299, 0.587, 0.114] : new Array<number>(c).fill(1 / c);
  // As a product of matrices, which is several times faster than a sum over three neighbours.
  return tf.reshape(tf.matMul(tf.reshape(x, [b * h * w, c]), tf.tensor2d(weights, [c, 1])), [b, h, w]);
}

/** Differences with the next row and column [b,H,W]; 0 at the last one. */
function forwardDifferences(y: tf.Tensor3D): [tf.Tensor3D, tf.Tensor3D] {
  const [b, h, w] = y.shape;
  const down = tf.sub(tf.slice(y, [0, 1, 0], [b, h - 1, w]), tf.slice(y, [0, 0, 0], [b, h - 1, w]));
  const right = tf.sub(tf.slice(y, [0, 0, 1], [b, h, w - 1]), tf.slice(y, [0, 0, 0], [b, h, w - 1]));
  return [
    tf.pad(right, [
      [0, 0],
      [0, 0],
      [0, 1],
    ]) as tf.Tensor3D,
    tf.pad(down, [
      [0, 0],
      [0, 1],
      [0, 0],
    ]) as tf.Tensor3D,
  ]; // prettier-ignore
}

/** Sobel's differences [b,H,W], a quarter of the usual ones, so that a step from 0 to 1 gives 1; the image is mirrored at its edge. */
function sobelDifferences(y: tf.Tensor3D): [tf.Tensor3D, tf.Tensor3D] {
  const [b, h, w] = y.shape;
  const wide = tf.mirrorPad(
    y,
    [
      [0, 0],
      [1, 1],
      [1, 1],
    ],
    "symmetric",
  ) as tf.Tensor3D; // prettier-ignore
  const at = (row: number, column: number): tf.Tensor3D => tf.slice(wide, [0, row, column], [b, h, w]);
  const difference = (plus: readonly tf.Tensor3D[], minus: readonly tf.Tensor3D[]): tf.Tensor3D => {
    const weighed = ([first, middle, last]: readonly tf.Tensor3D[]): tf.Tensor3D =>
      tf.add(tf.add(first as tf.Tensor3D, last as tf.Tensor3D), tf.mul(middle as tf.Tensor3D, 2));
    return tf.div(tf.sub(weighed(plus), weighed(minus)), 4);
  };
  return [
    difference([at(0, 2), at(1, 2), at(2, 2)], [at(0, 0), at(1, 0), at(2, 0)]),
    difference([at(2, 0), at(2, 1), at(2, 2)], [at(0, 0), at(0, 1), at(0, 2)]),
  ];
}

/**
 * Magnitude of the gradient from 0 to 1 within each image; 0 for an image of one colour. Of the brightness [b,H,W], or of the channels one after the
 * other [b·C,H,W].
 */
function gradients(x: Images, { operator, channels }: LocalGradients): tf.Tensor3D {
  const [b, h, w, c] = x.shape;
  const y: tf.Tensor3D = channels === "perChannel" ? tf.reshape(tf.transpose(x, [0, 3, 1, 2]), [b * c, h, w]) : luminance(x);
  const [gx, gy] = operator === "sobel" ? sobelDifferences(y) : forwardDifferences(y);
  const squares = tf.add(tf.square(gx), tf.square(gy));
  // The root's derivative at 0 is infinite: where nothing changes the magnitude is a constant 0.
  const isFlat = tf.equal(squares, 0);
  const magnitude = tf.where(isFlat, tf.zerosLike(squares), tf.sqrt(tf.where(isFlat, tf.onesLike(squares), squares)));
  const images: tf.Tensor2D = tf.reshape(magnitude, [b, -1]); // all channels of an image are stretched together
  const least = tf.min(images, 1, true);
  const range = tf.sub(tf.max(images, 1, true), least);
  const divisor = tf.where(tf.equal(range, 0), tf.onesLike(range), range);
  return tf.reshape(tf.div(tf.sub(images, least), divisor), y.shape);
}

/** The mean over the channels of what `gradients` gives: [b,H,W]. */
export const gradientMap = (x: Images, o: LocalGradients): tf.Tensor3D => overChannels(gradients(x, o), x);

function overChannels(maps: tf.Tensor3D, x: Images): tf.Tensor3D {
  const [b, h, w] = x.shape;
  return maps.shape[0] === b ? maps : tf.mean(tf.reshape(maps, [b, maps.shape[0] / b, h, w]), 1);
}

/** 1 where a block of large mean gradient covers a pixel of the map, else 0: [b,H,W]. */
export function keptBlocks(map: tf.Tensor3D, o: LocalGradients): tf.Tensor3D {
  const [b, h, w] = map.shape;
  const [rows, columns] = [cover(h, o), cover(w, o)];
  const repeated = (matrix: tf.Tensor2D): tf.Tensor3D => tf.tile(tf.expandDims(matrix, 0), [b, 1, 1]) as tf.Tensor3D;
  const [byRows, byColumns] = [repeated(rows), repeated(columns)];
  const sums = tf.matMul(tf.matMul(byRows, map), byColumns, false, true) as tf.Tensor3D;
  const means = tf.div(sums, Math.min(o.window, h) * Math.min(o.window, w));
  const kept = tf.cast(tf.greater(means, o.threshold), "float32") as tf.Tensor3D;
  const covering = tf.matMul(tf.matMul(byRows, kept, true, false), byColumns);
  return tf.cast(tf.greater(covering, 0), "float32") as tf.Tensor3D;
}

/**
 * Images [b,H,W,C] times 1 − min(λ·ĝ, 1), ĝ the normalised gradient within the blocks that are kept and 0 elsewhere. A block's mean is over all
 * channels, and so are the blocks the same for all.
 */
export function smoothedLocally(x: Images, o: LocalGradients): Images {
  return tf.tidy(() => {
    const [b, h, w, c] = x.shape;
    const maps = gradients(x, o);
    const kept = keptBlocks(overChannels(maps, x), o);
    if (o.channels === "luminance") return tf.mul(x, overAll(left(tf.mul(maps, kept), o), c));
    const local = tf.mul(tf.reshape(maps, [b, c, h, w]), tf.expandDims(kept, 1));
    return tf.mul(x, tf.transpose(left(local, o), [0, 2, 3, 1]));
  });
}

/** What is left of a pixel: 1 − min(λ·ĝ, 1). */
const left = (local: tf.Tensor, { lambda }: LocalGradients): tf.Tensor => tf.sub(1, tf.minimum(tf.mul(local, lambda), 1));

/** [b,H,W] → [b,H,W,C], as a product of matrices. */
const overAll = (map: tf.Tensor, channels: number): Images =>
  tf.reshape(tf.matMul(tf.reshape(map, [-1, 1]), tf.ones([1, channels])), [...map.shape, channels] as Images["shape"]);
