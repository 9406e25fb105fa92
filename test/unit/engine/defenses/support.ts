import path from "node:path";
import { expect } from "vitest";
import type { DefenseView, InferenceDefense, Params } from "../../../../src/engine/define/index.ts";
import { type NpyArray, readNpz } from "../../../../src/engine/io/npz.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";

/** A defence that looks at neither a model nor random numbers. */
const blindfolded: DefenseView = {
  get model(): never {
    return expect.unreachable("it needs no model");
  },
  random: () => expect.unreachable("it is not randomised"),
};

/** What the defence makes of images [b,H,W,C]. */
export function transform(
  kind: string,
  params: Params,
  values: ArrayLike<number>,
  shape: readonly [number, number, number, number],
  see: DefenseView = blindfolded,
): number[] {
  const { entry, params: complete } = bind("defense", { kind, ...params });
  const y = tf.tidy(() =>
    (entry as InferenceDefense).transform(tf.tensor4d(Float32Array.from(values), [...shape]) as Images, complete, see),
  );
  const result = [...y.dataSync()];
  y.dispose();
  return result;
}

/** What is said of parameters that are refused; "" where they are not. */
export function refusal(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    return String((error as Error).message);
  }
  return "";
}

export const fixture = (file: string) => readNpz(path.join(import.meta.dirname, "fixtures", file));

/** The arrays `name0`, `name1`, … of a fixture. */
export const numbered = (arrays: Readonly<Record<string, NpyArray>>, name: string): NpyArray[] =>
  Object.keys(arrays)
    .filter((key) => key.replace(/\d+$/, "") === name)
    .map((_, i) => arrays[`${name}${i}`] as NpyArray);
