import type { KerasWeight } from "./content.ts";

/** What is stored, as the network takes it: axes moved, and kernels turned by 180° within each pair of channels. */
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
  const distances = shape.map((_, axis) => shape.slice(axis + 1).reduce((a, b) => a * b, 1));
  const [sides, steps] = [axes.map((axis) => shape[axis] as number), axes.map((axis) => distances[axis] as number)];
  const index = sides.map(() => 0);
  const result = new Float32Array(numbers.length);
  for (let to = 0, from = 0; to < result.length; to++) {
    result[to] = numbers[from] as number;
    for (let axis = sides.length - 1; axis >= 0; axis--) {
      from += steps[axis] as number;
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (sides[axis] as number)) break;
      from -= (steps[axis] as number) * (sides[axis] as number);
      index[axis] = 0;
    }
  }
  return result;
}
