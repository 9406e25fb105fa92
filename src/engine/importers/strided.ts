/** Number of elements in an array of a shape. */
export const countOf = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1);
/** How many numbers arrays hold together. */
export const numbersIn = (arrays: readonly { readonly shape: readonly number[] }[]): number =>
  arrays.reduce((sum, { shape }) => sum + countOf(shape), 0);

/** Strides of a dense row-major array, in elements. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length).fill(1);
  for (let i = shape.length - 2; i >= 0; i--) strides[i] = (strides[i + 1] as number) * (shape[i + 1] as number);
  return strides;
}

/** The shape that numpy broadcasts to: axes aligned at the end, sizes equal or 1. Undefined if the shapes do not fit. */
export function broadcast(...shapes: readonly (readonly number[])[]): number[] | undefined {
  const rank = Math.max(0, ...shapes.map((shape) => shape.length));
  const result: number[] = [];
  for (let i = 0; i < rank; i++) {
    const sides = shapes.map((shape) => shape[shape.length - rank + i] ?? 1);
    const side = sides.find((one) => one !== 1) ?? 1;
    if (sides.some((one) => one !== 1 && one !== side)) return undefined;
    result.push(side);
  }
  return result;
}

/** Strides that read an array of `shape` as one of `target`: 0 along repeated axes. */
export function broadcastStrides(shape: readonly number[], target: readonly number[]): number[] {
  const own = stridesOf(shape);
  return target.map((_, i) => {
    const axis = shape.length - target.length + i;
    return axis < 0 || shape[axis] === 1 ? 0 : (own[axis] as number);
  });
}

/** Calls `visit` with the position of each element in order: `offset` + Σ index·stride. */
export function forPlaces(shape: readonly number[], strides: readonly number[], offset: number, visit: (place: number) => void): void {
  const total = countOf(shape);
  const index = new Array<number>(shape.length).fill(0);
  let place = offset;
  for (let i = 0; i < total; i++) {
    visit(place);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += strides[axis] as number;
      index[axis] = (index[axis] as number) + 1;
      if ((index[axis] as number) < (shape[axis] as number)) break;
      place -= (strides[axis] as number) * (shape[axis] as number);
      index[axis] = 0;
    }
  }
}
