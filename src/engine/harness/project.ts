import type { Ball } from "../define/index.ts";
import { keepWindow } from "./window.ts";

/** What was done to bring a proposal back, per image. */
export interface Projection {
  /** [b,H,W,C], inside the ball and [0,1]. */
  readonly images: Float32Array;
  /** Largest change of a value by the projection, per image. */
  readonly moved: Float32Array;
  readonly notFinite: readonly boolean[];
}

/**
 * The nearest image of the threat model, image by image: clamped per pixel (linf), scaled towards the clean image (l2), or with all but
 * the k most changed pixels set back (l0); always within [0,1], and within the window of a patch. Values that are no numbers become the
 * clean ones.
 */
export function projectOntoBall(
  proposal: Float32Array,
  clean: Float32Array,
  ball: Ball,
  shape: readonly [height: number, width: number, channels: number],
): Projection {
  const channels = shape[2];
  const pixels = shape[0] * shape[1] * channels;
  const n = clean.length / pixels;
  const images = Float32Array.from(proposal);
  const moved = new Float32Array(n);
  const notFinite: boolean[] = [];
  for (let i = 0; i < n; i++) {
    const from = i * pixels;
    const image = images.subarray(from, from + pixels);
    const original = clean.subarray(from, from + pixels);
    notFinite.push(repair(image, original));
    const before = Float32Array.from(image);
    if (ball.norm === "linf") clampToBox(image, original, ball.radius);
    else {
      clampToBox(image, original, Number.POSITIVE_INFINITY);
      if (ball.norm === "l2") scaleToSphere(image, original, ball.radius);
      else keepLargest(image, original, ball.radius, channels);
    }
    if (ball.window !== undefined) keepWindow(image, original, ball.window, shape);
    moved[i] = largestDifference(image, before);
  }
  return { images, moved, notFinite };
}

const at = (values: Float32Array, i: number): number => values[i] as number;

function repair(image: Float32Array, original: Float32Array): boolean {
  let found = false;
  for (let j = 0; j < image.length; j++) {
    if (Number.isFinite(at(image, j))) continue;
    image[j] = at(original, j);
    found = true;
  }
  return found;
}

/** clip(x', max(0, x − ε), min(1, x + ε)). */
function clampToBox(image: Float32Array, original: Float32Array, radius: number): void {
  for (let j = 0; j < image.length; j++) {
    const x = at(original, j);
    image[j] = Math.min(Math.max(at(image, j), Math.max(0, x - radius)), Math.min(1, x + radius));
  }
}

function scaleToSphere(image: Float32Array, original: Float32Array, radius: number): void {
  let sum = 0;
  for (let j = 0; j < image.length; j++) sum += (at(image, j) - at(original, j)) ** 2;
  const norm = Math.sqrt(sum);
  if (norm <= radius) return;
  for (let j = 0; j < image.length; j++) image[j] = at(original, j) + ((at(image, j) - at(original, j)) * radius) / norm;
}

/** Sets back all but the `count` pixels that changed most (largest change of a channel, ties to the lower index). */
function keepLargest(image: Float32Array, original: Float32Array, count: number, channels: number): void {
  const changed: { pixel: number; size: number }[] = [];
  for (let pixel = 0; pixel < image.length / channels; pixel++) {
    let size = 0;
    for (let c = 0; c < channels; c++)
      size = Math.max(size, Math.abs(at(image, pixel * channels + c) - at(original, pixel * channels + c)));
    if (size > 0) changed.push({ pixel, size });
  }
  changed.sort((a, b) => b.size - a.size || a.pixel - b.pixel);
  for (const { pixel } of changed.slice(Math.max(0, Math.floor(count)))) {
    for (let c = 0; c < channels; c++) image[pixel * channels + c] = at(original, pixel * channels + c);
  }
}

function largestDifference(a: Float32Array, b: Float32Array): number {
  let largest = 0;
  for (let j = 0; j < a.length; j++) largest = Math.max(largest, Math.abs(at(a, j) - at(b, j)));
  return largest;
}

export interface Norms {
  readonly linf: number;
  readonly l2: number;
  /** Changed pixels: any channel differs. */
  readonly l0: number;
}

/** Norms of adversarial − clean for one image, in units of [0,1] pixels. */
export function normsOf(adversarial: Float32Array, clean: Float32Array, channels: number): Norms {
  let linf = 0;
  let sum = 0;
  let l0 = 0;
  for (let p = 0; p < clean.length; p += channels) {
    let changed = false;
    for (let c = p; c < p + channels; c++) {
      const difference = Math.abs(at(adversarial, c) - at(clean, c));
      if (difference > 0) changed = true;
      linf = Math.max(linf, difference);
      sum += difference * difference;
    }
    if (changed) l0++;
  }
  return { linf, l2: Math.sqrt(sum), l0 };
}
