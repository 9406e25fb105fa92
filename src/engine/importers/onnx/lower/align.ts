import { countOf } from "../../strided.ts";
import type { Node } from "../graph.ts";
import { physicalGroups, ranked, refined, type Stored, shapeOfStored } from "../layout.ts";
import { spread } from "./along.ts";
import type { Lowering } from "./lowering.ts";

/** Values as tensors of the same rank, whose axes are as long as the leader's or 1; and how a result of that shape is stored. */
interface Aligned {
  readonly values: readonly Stored[];
  readonly leader: Stored;
}

/** Brings inputs into the storage order of the one that has the result's shape; if none has, of the largest, which is repeated first. */
export function aligned(node: Node, o: Lowering, indices: readonly number[], shape: readonly number[]): Aligned {
  const operands = indices.map((i) => ranked(o.stored(node, i), shape.length));
  const sizes = operands.map((v) => countOf(shapeOfStored(v)));
  const lead = sizes.indexOf(Math.max(...sizes));
  const isRepeated = shapeOfStored(operands[lead] as Stored).join() !== shape.join();
  operands[lead] = spread(operands[lead] as Stored, shape, node, o);
  for (let pass = 0; pass < 2; pass++)
    operands.forEach((_, i) => {
      if (i === lead) return;
      [operands[lead], operands[i]] = divided(node, o, [operands[lead] as Stored, operands[i] as Stored]);
    });
  const leader = operands[lead] as Stored;
  const places = new Map(leader.axes.flatMap((factors, axis) => factors.map((factor, at) => [factor, { axis, at }] as const)));
  const matching = (v: Stored, factor: number): number[] => {
    const { axis, at } = places.get(factor) as { axis: number; at: number };
    const found = v.axes[axis]?.[at];
    return found === undefined ? [] : [found];
  };
  const own = physicalGroups(leader);
  const isUniform = operands.every((v) => own.every((group) => new Set(group.map((factor) => matching(v, factor).length)).size <= 1));
  const groups = isUniform ? own : leader.sizes.map((_, factor) => [factor]);
  const values = operands.map((v, k) => {
    const wanted = groups.map((group) => group.flatMap((factor) => matching(v, factor)));
    if (k === lead && isRepeated) return o.layout.arranged(v, wanted, node);
    const index = indices[k] as number;
    const rank = o.shape(node.inputs[index] as string).length;
    o.set(node.inputs[index], { ...v, axes: v.axes.slice(shape.length - rank) });
    return o.arranged(node, index, wanted);
  });
  return { values, leader: ranked(values[lead] as Stored, shape.length) };
}

/** Splits both into the same factors along each axis that is not broadcast. */
export function divided(node: Node, o: Lowering, operands: readonly [Stored, Stored]): [Stored, Stored] {
  const [a, b] = operands;
  const [one, other] = [shapeOfStored(a), shapeOfStored(b)];
  const axes = one.flatMap((side, axis) => (side === other[axis] ? [axis] : []));
  const found = refined(a, b, axes);
  if (found) return found;
  const joined = operands.map((v) => axes.reduce((value, axis) => o.layout.single(value, axis, node), v)) as [Stored, Stored];
  return refined(joined[0], joined[1], axes) ?? o.refuse(node, "of values whose sizes do not divide each other");
}
