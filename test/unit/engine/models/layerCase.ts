import type { tf, tfl } from "../../../../src/engine/tf.ts";

export interface Operand {
  /** With the batch. */
  readonly shape: readonly number[];
  readonly values: readonly number[];
}
/** What a layer computes, by hand, from a specification or by another program. */
export interface LayerCase {
  readonly name: string;
  readonly layer: () => tfl.layers.Layer;
  readonly inputs: readonly Operand[];
  /** In the layer's own order. */
  readonly weights?: readonly (readonly number[])[];
  readonly shape: readonly number[];
  readonly values: readonly number[];
  /** Of the sum of the results, by the first input. */
  readonly gradient?: readonly number[];
  /** Its derivative is 0 wherever there is one. */
  readonly isFlat?: boolean;
  /** Its derivative is not that of its values. */
  readonly isStepwise?: boolean;
  /** Nothing is differentiated by its weights. */
  readonly fixedWeights?: boolean;
  /** Takes any number to one for which the layer is smooth, for the differences. */
  readonly domain?: (x: tf.Tensor) => tf.Tensor;
}

const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
export const operand = (values: readonly number[], shape: readonly number[]): Operand => ({ values, shape });
/** from, from + 1, … */
export const count = (shape: readonly number[], from = 0): Operand =>
  operand(
    Array.from({ length: size(shape) }, (_, i) => from + i),
    shape,
  );
/** Nine pixels 1 … 9 in rows. */
export const nine = count([1, 3, 3, 1], 1);
export const negated = ({ values, shape }: Operand): Operand =>
  operand(
    values.map((value) => -value),
    shape,
  );
