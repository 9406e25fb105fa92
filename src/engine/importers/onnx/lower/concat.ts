import { countOf } from "../../strided.ts";
import { intOf, type Node } from "../graph.ts";
import { everyFactor, physicalGroups, type Stored, shapeOfStored } from "../layout.ts";
import { Constant } from "../values.ts";
import { divided } from "./align.ts";
import { constantFor, type Lower, type Lowering, plainWeight } from "./lowering.ts";

/** Joins values along an axis. Constants that are the same for each image, such as the class token of a transformer, may be among them. */
export const concat: Lower = (node, o) => {
  const shape = o.shape(node.outputs[0] as string);
  const axis = o.context(node).axis(intOf(node, "axis", 0), shape.length);
  if (axis === 0 && (shape[0] as number) > 2 ** 31 - 1) o.refuseMixing(node);
  const live = node.inputs.flatMap((name, i) => (o.isLive(name) ? [i] : []));
  const lead = live.reduce((best, i) => (sizeAlong(o, node, i, axis) > sizeAlong(o, node, best, axis) ? i : best), live[0] ?? 0);
  for (const i of live) o.replace(node.inputs[i], o.layout.single(o.stored(node, i), axis, node));
  for (let pass = 0; pass < 2; pass++)
    for (const i of live) {
      if (node.inputs[i] === node.inputs[lead]) continue;
      const [one, other] = divided(node, o, [o.stored(node, lead), o.stored(node, i)]);
      o.replace(node.inputs[lead], one);
      o.replace(node.inputs[i], other);
    }
  const { groups, along } = groupsAlong(o.stored(node, lead), axis);
  const leader = o.stored(node, lead);
  const places = new Map(leader.axes.flatMap((factors, a) => factors.map((factor, at) => [factor, { a, at }] as const)));
  const tensors = new Map(
    live.map((i) => {
      const value = o.stored(node, i);
      const matching = (factor: number): number => {
        const { a, at } = places.get(factor) as { a: number; at: number };
        return value.axes[a]?.[at] as number;
      };
      return [
        i,
        o.arranged(
          node,
          i,
          groups.map((group, g) => (g === along ? (value.axes[axis] ?? []) : group.map(matching))),
        ),
      ] as const;
    }),
  );
  const led = tensors.get(lead) as Stored;
  const joined = joinAll(node, o, { tensors, led, along, axis });
  o.set(node.outputs[0], resized(led, { joined, along, axis, side: shape[axis] as number }));
};

const sizeAlong = (o: Lowering, node: Node, index: number, axis: number): number => shapeOfStored(o.stored(node, index))[axis] as number;

/** Axes of the leading tensor, with the joined axis on its own. If that has size 1, it is added at the end. */
function groupsAlong(leader: Stored, axis: number): { groups: number[][]; along: number } {
  const [factor] = leader.axes[axis] ?? [];
  const own = physicalGroups(leader);
  if (factor === undefined) return { groups: [...own, []], along: own.length };
  const place = own.findIndex((group) => group.includes(factor));
  if (own[place]?.length === 1) return { groups: own, along: place };
  return { groups: everyFactor(leader).map((one) => [one]), along: factor };
}

interface Joined {
  readonly tensors: ReadonlyMap<number, Stored>;
  readonly led: Stored;
  readonly along: number;
  readonly axis: number;
}

/** Joins adjacent values in one layer. Constants are added before or after. */
function joinAll(node: Node, o: Lowering, { tensors, led, along, axis }: Joined): Stored["ref"] {
  const runs: (Stored[] | Constant)[] = [];
  node.inputs.forEach((_, i) => {
    const tensor = tensors.get(i);
    const last = runs.at(-1);
    if (!tensor) runs.push(o.weight(node, i));
    else if (Array.isArray(last)) last.push(tensor);
    else runs.push([tensor]);
  });
  const first = runs.findIndex(Array.isArray);
  const join = (values: readonly Stored[], suffix: string): Stored =>
    values.length === 1 ? (values[0] as Stored) : { ...led, ref: o.emit("Concatenate", node, values, { suffix, config: { axis: along } }) };
  let now = join(runs[first] as Stored[], "");
  const put = (constant: Constant, isBefore: boolean): void => {
    const numbers = constantAlong(node, o, { led, along, axis, constant });
    const config = { axis: along, shape: numbers.shape, at_start: isBefore };
    now = { ...led, ref: o.emit("AppendConstant", node, [now], { config, weights: [plainWeight("constant", numbers)] }) };
  };
  for (const run of runs.slice(0, first).reverse()) put(run as Constant, true);
  for (const run of runs.slice(first + 1))
    if (Array.isArray(run)) now = join([now, ...run], "_join");
    else put(run, false);
  return now.ref;
}

/** A constant in the layout of the joined tensor, without the batch axis. */
function constantAlong(
  node: Node,
  o: Lowering,
  { led, along, axis, constant }: Pick<Joined, "led" | "along" | "axis"> & { constant: Constant },
): Constant {
  const side = constant.shape[axis] as number;
  const part = resized(led, { joined: led.ref, along, axis, side });
  const shape = shapeOfStored(part);
  const full = constantFor(part, constant, shape);
  const wanted = part.physical.slice(1);
  if (!full || full.count !== countOf(wanted)) return o.refuse(node, `with a constant [${constant.shape.join(", ")}]`);
  const { kind, isOfBatch, title } = full;
  return new Constant({ kind, isOfBatch, title, shape: wanted }, (visit) => full.forBlocks(visit));
}

/** The leading tensor with another size along the joined axis. */
function resized(led: Stored, { joined, along, axis, side }: { joined: Stored["ref"]; along: number; axis: number; side: number }): Stored {
  const [factor] = led.axes[axis] ?? [];
  const physical = led.physical.with(along, side);
  if (factor !== undefined) return { ...led, ref: joined, physical, sizes: led.sizes.with(factor, side) };
  const sizes = [...led.sizes, side];
  return { ...led, ref: joined, physical, sizes, axes: led.axes.with(axis, [led.sizes.length]) };
}
