import { type ModelSpec, resolveParams } from "../src/engine/define/index.ts";
import { convert3d } from "../src/engine/models/convert3d.ts";
import { lenet } from "../src/engine/models/lenet.ts";
import { papernot } from "../src/engine/models/papernot.ts";
import { resnet9 } from "../src/engine/models/resnet9.ts";
import type { tfl } from "../src/engine/tf.ts";

export const batch = 64;
export const repeats = Number(process.env["REPEATS"] ?? 9);
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
  return convert3d(base, { depth: (height / patch) * (width / patch), patch: [patch, patch], kernelDepth }).network;
}

/** Milliseconds of the wall clock, and of processor time, which a busy machine disturbs less. */
export interface Times {
  readonly wall: number;
  readonly cpu: number;
}
export function stopwatch(): () => Times {
  const [start, used] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(used);
    return { wall: performance.now() - start, cpu: (user + system) / 1000 };
  };
}

export const median = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1] as number;

/** One call: the fastest of `repeats` rounds of `times` calls, as other work on the machine only ever adds. */
export function fastest(body: () => void, times: number): Times {
  const rounds = Array.from({ length: repeats + 1 }, () => {
    const read = stopwatch();
    for (let i = 0; i < times; i++) body();
    return read();
  }).slice(1); // the first one compiles
  const least = (of: keyof Times): number => Math.min(...rounds.map((round) => round[of])) / times;
  return { wall: least("wall"), cpu: least("cpu") };
}

export async function timed(work: () => Promise<unknown>): Promise<Times> {
  const read = stopwatch();
  await work();
  return read();
}
