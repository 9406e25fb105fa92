import { countOf } from "../strided.ts";
import { type Data, dataOf } from "./file/elementTypes.ts";
import type { Fold } from "./folding/index.ts";
import { intOf } from "./graph.ts";
import type { ShapeContext } from "./shapes/context.ts";
import type { Constant } from "./values.ts";

/** Smallest and largest number of a type of integers, by its code. */
const ranges: Readonly<Record<number, readonly [low: number, high: number]>> = {
  2: [0, 255],
  3: [-128, 127],
  4: [0, 65535],
  5: [-32768, 32767],
};

/** The integers that a QuantizeLinear gives: those of its zero point's type, uint8 without one. Undefined for other types. */
export const rangeOf = (zeroPoint: Constant | undefined): readonly [low: number, high: number] | undefined =>
  ranges[zeroPoint ? (zeroPoint.type ?? 0) : 2];

/** Half to even, as tfjs and ONNX Runtime round. */
function rounded(x: number): number {
  const low = Math.floor(x);
  if (x - low !== 0.5) return Math.round(x);
  return low % 2 === 0 ? low : low + 1;
}

/** Computes each number with the scale s and zero point z of its place along the axis. */
function byScale(
  [x, scale, zeroPoint]: readonly (Constant | undefined)[],
  { kind, shape }: { readonly kind: Constant["kind"]; readonly shape: readonly number[] },
  o: ShapeContext,
  compute: (x: number, s: number, z: number) => number,
): Data {
  const { data } = x as Constant;
  const { data: s } = scale as Constant;
  const axis = s.length > 1 ? o.axis(intOf(o.node, "axis", 1), shape.length) : 0;
  const inner = s.length > 1 ? countOf(shape.slice(axis + 1)) : data.length;
  if (s.length > 1 && s.length !== shape[axis]) o.fail(`has ${s.length} scales for ${shape[axis]} places`);
  const z = zeroPoint?.data ?? new Float64Array(s.length);
  const result = dataOf(kind, data.length);
  for (let i = 0; i < data.length; i++) {
    const place = Math.floor(i / Math.max(1, inner)) % s.length;
    result[i] = compute(data[i] as number, s[place] as number, z[place] as number);
  }
  return result;
}

const quantize: Fold = (inputs, out, o) => {
  const [low, high] = rangeOf(inputs[2]) ?? o.unsupported("to a type of integers that is not known");
  return byScale(inputs, out, o, (x, s, z) => Math.min(high, Math.max(low, rounded(Math.fround(x / s)) + z)));
};

const dequantize: Fold = (inputs, out, o) => byScale(inputs, out, o, (q, s, z) => (q - z) * s);

/** Weights that are stored as integers become numbers. */
export const quantisationFolds: readonly [string, Fold][] = [
  ["QuantizeLinear", quantize],
  ["DequantizeLinear", dequantize],
];
