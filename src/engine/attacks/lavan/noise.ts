import type { Static } from "@sinclair/typebox";
import type { ModelFacts } from "../../define/index.ts";
import { type AdamState, adamStep, startAdam } from "../../patches/adam.ts";
import type { Random } from "../../random.ts";
import { learningRates, type params } from "./params.ts";
import { type Place, placeOf, sideOf } from "./place.ts";

type Settings = Static<typeof params>;
type Shape = ModelFacts["inputShape"];

/** The noise δ of one image at one place, [side,side,C] in [0,1]. */
export interface Noise {
  /** Of its image in the batch. */
  readonly index: number;
  readonly place: Place;
  readonly side: number;
  readonly values: Float32Array;
  readonly rng: Random;
  adam: AdamState;
  wasRedrawn: boolean;
  /** It has reached what it was to reach, or its gradient is zero. */
  isDone: boolean;
}

/** @param image the clean image [H,W,C] */
export function startNoise(index: number, image: Float32Array, p: Settings, shape: Shape, rng: Random): Noise {
  const side = sideOf(p, shape);
  const place = placeOf(p, shape, rng.stream("place"));
  const values = new Float32Array(side * side * shape[2]);
  const noise: Noise = {
    index,
    place,
    side,
    values,
    rng: rng.stream("start"),
    adam: startAdam(values.length),
    wasRedrawn: false,
    isDone: false,
  };
  if (p.start === "fromImage") readWindow(image, noise, shape, values);
  else values.set(noise.rng.uniforms(values.length));
  return noise;
}

/** One step along the gradient [H,W,C] of the objective, its part inside the window; where that is zero, new values once, then no more. */
export function moveNoise(noise: Noise, gradient: Float32Array, p: Settings, shape: Shape): void {
  const { values } = noise;
  const slope = new Float32Array(values.length);
  readWindow(gradient, noise, shape, slope);
  if (slope.every((g) => g === 0)) {
    noise.isDone = noise.wasRedrawn;
    noise.wasRedrawn = true;
    if (noise.isDone) return;
    values.set(noise.rng.uniforms(values.length));
    noise.adam = startAdam(values.length);
    return;
  }
  const rate = p.learningRate > 0 ? p.learningRate : learningRates[p.optimizer];
  if (p.optimizer === "adam") {
    for (let i = 0; i < slope.length; i++) slope[i] = -(slope[i] as number); // it descends
    adamStep(values, slope, noise.adam, rate);
    return;
  }
  for (let i = 0; i < values.length; i++) {
    const g = slope[i] as number;
    const moved = (values[i] as number) + rate * (p.optimizer === "sign" ? Math.sign(g) : g);
    values[i] = Math.min(1, Math.max(0, moved));
  }
}

/** Start of each row of the window in an image [H,W,C]. */
function* rowsOf({ place, side }: Noise, [, width, channels]: Shape): Generator<readonly [row: number, offset: number]> {
  for (let y = 0; y < side; y++) yield [y, ((place.top + y) * width + place.left) * channels];
}

/** Values of an image inside the window. */
function readWindow(image: Float32Array, noise: Noise, shape: Shape, into: Float32Array): void {
  const length = noise.side * shape[2];
  for (const [y, offset] of rowsOf(noise, shape)) into.set(image.subarray(offset, offset + length), y * length);
}

/** Puts the noise into an image. */
export function paintNoise(image: Float32Array, noise: Noise, shape: Shape): void {
  const length = noise.side * shape[2];
  for (const [y, offset] of rowsOf(noise, shape)) image.set(noise.values.subarray(y * length, (y + 1) * length), offset);
}

/** Sets the mask [H,W] of an image to 1 inside the window. */
export function markNoise(mask: Float32Array, noise: Noise, [height, width]: Shape): void {
  for (const [, offset] of rowsOf(noise, [height, width, 1])) mask.fill(1, offset, offset + noise.side);
}
