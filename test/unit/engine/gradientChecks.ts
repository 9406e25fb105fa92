import { expect } from "vitest";
import { tf } from "../../../src/engine/tf.ts";
import { apart, type Case, dot, random, type Scalar } from "./gradientCases.ts";

/** φ = Σ vᵢ·∂f/∂xᵢ, a scalar whose gradient is second order. */
export const contracted =
  (f: Scalar, directions: readonly tf.Tensor[]): Scalar =>
  (...inputs) =>
    tf
      .grads((...xs: tf.Tensor[]) => f(...xs))(inputs)
      .map((gradient, i) => dot(gradient, directions[i] as tf.Tensor))
      .reduce((sum, term) => tf.add(sum, term));

/** The derivative of φ along a random direction: by nested gradients, and by central differences of φ. */
export function derivatives(phi: Scalar, inputs: readonly tf.Tensor[], h: number): [number, number] {
  return tf.tidy(() => {
    const along = inputs.map((x, i) => random(x.shape, 70 + i));
    const gradients = tf.grads((...xs: tf.Tensor[]) => phi(...xs))([...inputs]);
    const exact = gradients.map((g, i) => dot(g, along[i] as tf.Tensor)).reduce((sum, term) => tf.add(sum, term));
    const at = (step: number) => phi(...inputs.map((x, i) => tf.add(x, tf.mul(along[i] as tf.Tensor, step)))).dataSync()[0] ?? Number.NaN;
    return [exact.dataSync()[0] ?? Number.NaN, (at(h) - at(-h)) / (2 * h)];
  });
}
export function expectAgreement([exact, differences]: [number, number]): void {
  expect(Math.abs(differences)).toBeGreaterThan(1e-2);
  expect(Math.abs(exact - differences) / Math.abs(differences)).toBeLessThan(1e-2);
}
/** The second derivative of a case along random directions, exactly and by differences. */
export const secondOf = ({ f, shapes }: Pick<Case, "f" | "shapes">): [number, number] =>
  tf.tidy(() => {
    const inputs = shapes.map((shape, i) => apart(shape, 11 + i));
    const directions = shapes.map((shape, i) => random(shape, 40 + i));
    return derivatives(contracted(f, directions), inputs, 4e-3);
  });
