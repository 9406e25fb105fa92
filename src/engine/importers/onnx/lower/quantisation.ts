import type { Node } from "../graph.ts";
import { rangeOf } from "../quantisation.ts";
import type { Constant } from "../values.ts";
import type { Lower, Lowering } from "./lowering.ts";

/** Operators that keep or select numbers: rounding after them gives the same result as rounding before them. */
const keeping = ["Identity", "Reshape", "Flatten", "Squeeze", "Unsqueeze", "Transpose", "MaxPool"];

/** The value itself: it is rounded where it becomes a float again. Integers must not be used otherwise. */
const quantize: Lower = (node, o) => {
  const names = [node.outputs[0] as string];
  for (const name of names) {
    const users = o.usersOf(name);
    if (users.length === 0) o.refuse(node, "whose integers are the output");
    for (const user of users) {
      if (user.op === "DequantizeLinear") continue;
      if (!keeping.includes(user.op)) o.refuse(user, "on integers");
      names.push(user.outputs[0] as string);
    }
  }
  o.set(node.outputs[0], o.stored(node, 0));
};

/** QuantizeLinear and DequantizeLinear with the same scale and zero point: rounding, in one layer for all users of the result. */
const dequantize: Lower = (node, o) => {
  const source = sourceOf(node, o);
  const [scale, zeroPoint] = [o.weight(node, 1), o.constant(node.inputs[2])];
  const range = rangeOf(zeroPoint);
  if (scale.count !== 1) return o.refuse(node, "of a value with a scale for each channel");
  if (!range) return o.refuse(node, "with a type of integers that is not known");
  if (!isSame(scale, o.weight(source, 1), 1) || !isSame(zeroPoint, o.constant(source.inputs[2]), 0))
    return o.refuse(node, "with another scale than that of its QuantizeLinear");
  const before = o.usersOf(node.inputs[0] as string).find((user) => user.op === node.op && o.isLive(user.outputs[0]));
  if (before) return o.set(node.outputs[0], o.stored({ ...node, inputs: before.outputs }, 0));
  const config = { scale: scale.data[0], zero_point: zeroPoint?.data[0] ?? 0, low: range[0], high: range[1] };
  o.alike("FakeQuantize", node, { config });
};

/** The QuantizeLinear that made an integer value. */
function sourceOf(node: Node, o: Lowering): Node {
  let name = node.inputs[0];
  for (;;) {
    const maker = o.makerOf(name);
    if (maker?.op === "QuantizeLinear") return maker;
    if (!maker || !keeping.includes(maker.op)) return o.refuse(node, "of integers that no QuantizeLinear gives");
    name = maker.inputs[0];
  }
}

const isSame = (a: Constant | undefined, b: Constant | undefined, otherwise: number): boolean =>
  (a?.data[0] ?? otherwise) === (b?.data[0] ?? otherwise) && (a?.type ?? 2) === (b?.type ?? 2);

export const quantisationRules: readonly [string, Lower][] = [
  ["QuantizeLinear", quantize],
  ["DequantizeLinear", dequantize],
];
