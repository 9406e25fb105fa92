import type { KernelFunc, TensorInfo } from "@tensorflow/tfjs-core";
import { util } from "@tensorflow/tfjs-core";
import type { OnnxBackend } from "../backend.ts";

export interface Call<Inputs, Attributes> {
  /** tfjs types every input as possibly missing; here only the optional ones are. */
  readonly inputs: { [Name in keyof Inputs]: NonNullable<Inputs[Name]> };
  readonly attrs: Attributes;
  readonly backend: OnnxBackend;
}
export type Results = TensorInfo | TensorInfo[];

/** Types a kernel's inputs and attributes as tfjs documents them; tfjs' own table of kernels is untyped, hence the one assertion here. */
export const kernel = <Inputs, Attributes = object>(body: (call: Call<Inputs, Attributes>) => Results): KernelFunc =>
  body as unknown as KernelFunc;

export type Kernels = Readonly<Record<string, KernelFunc>>;

/** Axes as tfjs takes them (one, several, negative, or none for all), made non-negative and sorted. */
export const axesOf = (axis: number | readonly number[] | undefined | null, shape: readonly number[]): number[] =>
  util
    .parseAxisParam(axis === null || axis === undefined ? shape.map((_, i) => i) : [axis].flat(), [...shape])
    .slice()
    .sort((a, b) => a - b);

export const isEmpty = (shape: readonly number[]): boolean => shape.includes(0);
