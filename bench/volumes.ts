import { type ModelSpec, resolveParams } from "../src/engine/define.ts";
import { to3d } from "../src/engine/models/convert3d.ts";
import { lenet } from "../src/engine/models/lenet.ts";
import { papernot } from "../src/engine/models/papernot.ts";
import { resnet9 } from "../src/engine/models/resnet9.ts";
import type { tfl } from "../src/engine/tf.ts";

export const batch = 64;
const repeats = Number(process.env["REPEATS"] ?? 9);
const only = process.env["NETS"]?.split(",");

interface Volumes {
  readonly inputShape: readonly [number, number, number];
  readonly patch: number;
  /** 0 is the number of slices. */
  readonly kernelDepth: number;
}
interface Case extends Volumes {
  readonly model: ModelSpec;
}
const digits = [28, 28, 1] as const;
const photos = [32, 32, 3] as const;
const all: readonly Case[] = [
  ...[3, 0].flatMap((kernelDepth) => [
    { model: papernot, inputShape: digits, patch: 4, kernelDepth },
    { model: papernot, inputShape: digits, patch: 7, kernelDepth },
    { model: papernot, inputShape: digits, patch: 14, kernelDepth },
    { model: lenet, inputShape: digits, patch: 7, kernelDepth },
    { model: lenet, inputShape: digits, patch: 14, kernelDepth },
  ]),
  { model: resnet9, inputShape: photos, patch: 4, kernelDepth: 3 },
  { model: resnet9, inputShape: photos, patch: 8, kernelDepth: 3 },
  { model: resnet9, inputShape: photos, patch: 16, kernelDepth: 3 },
];
export const cases = all.filter(
  ({ model, kernelDepth }) => !only || only.includes(model.id) || only.includes(`${model.id}:${kernelDepth}`),
);

/** The 3-D network over the slices of an image, as the volumized defence builds it. */
export function volumizedNetwork(model: ModelSpec, { inputShape, patch, kernelDepth }: Volumes): tfl.LayersModel {
  const [height, width] = inputShape;
  const base = model.build(resolveParams(model.params, {}, model.id), { inputShape, classes: 10, seed: 1 });
  return to3d(base, { depth: (height / patch) * (width / patch), patch: [patch, patch], kernelDepth });
}

/** Median wall time of each body in milliseconds: they take turns, so that a slow moment of the machine falls on all. */
export function medians(bodies: Readonly<Record<string, () => void>>): Record<string, number> {
  const timed = Object.entries(bodies).map(([name, body]) => ({ name, body, times: [] as number[] }));
  for (let i = -2; i < repeats; i++) {
    for (const { body, times } of timed) {
      const start = performance.now();
      body();
      if (i >= 0) times.push(performance.now() - start);
    }
  }
  return Object.fromEntries(timed.map(({ name, times }) => [name, times.sort((a, b) => a - b)[times.length >> 1] as number]));
}
