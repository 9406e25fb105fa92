import { forPlaces, stridesOf } from "../strided.ts";
import type { KerasWeight } from "./content.ts";

/** Stored values in the order of the network: axes transposed, and kernels rotated by 180° if `isTurned`. */
export function converted(numbers: Float32Array, { dataset, shape, axes, isTurned }: Omit<KerasWeight, "name">): Float32Array {
  const moved = axes ? transposed(numbers, dataset.shape, axes) : numbers;
  if (!isTurned) return moved;
  const [height = 1, width = 1] = shape;
  const channels = moved.length / (height * width);
  const result = new Float32Array(moved.length);
  for (let at = 0; at < height * width; at++)
    result.set(moved.subarray(at * channels, (at + 1) * channels), (height * width - 1 - at) * channels);
  return result;
}

/** numpy's `transpose`. */
function transposed(numbers: Float32Array, shape: readonly number[], axes: readonly number[]): Float32Array {
  const strides = stridesOf(shape);
  const [sides, steps] = [axes.map((axis) => shape[axis] as number), axes.map((axis) => strides[axis] as number)];
  const result = new Float32Array(numbers.length);
  let to = 0;
  forPlaces(sides, steps, 0, (from) => {
    result[to++] = numbers[from] as number;
  });
  return result;
}
