import { batch } from "../analysis.ts";
import type { Node } from "../graph.ts";
import { everyFactor, physicalGroups, type Stored, shapeOfStored } from "../layout.ts";
import type { Cut } from "../shapes/parts.ts";
import type { Lowering } from "./lowering.ts";

export interface Isolated {
  readonly value: Stored;
  /** Axis of the tensor. */
  readonly group: number;
  readonly factor: number;
}

/** An input whose given axis is an axis of its tensor, for a layer that works along it. */
export function isolated(node: Node, index: number, axis: number, o: Lowering): Isolated {
  const single = o.replace(node.inputs[index], o.layout.single(o.stored(node, index), axis, node));
  const [factor] = single.axes[axis] ?? [];
  if (factor === 0) return o.refuseMixing(node);
  if (factor === undefined) return withOne(node, index, axis, o);
  const own = physicalGroups(single);
  const place = own.findIndex((group) => group.includes(factor));
  if (own[place]?.length === 1) return { value: single, group: place, factor };
  const value = o.arranged(
    node,
    index,
    everyFactor(single).map((one) => [one]),
  );
  return { value, group: factor, factor };
}

/** An axis of size 1 has no factor of its own: it gets one, the last. */
function withOne(node: Node, index: number, axis: number, o: Lowering): Isolated {
  const value = o.stored(node, index);
  const last = value.sizes.length;
  const tensor = o.arranged(node, index, [...everyFactor(value).map((one) => [one]), []]);
  return { value: { ...tensor, sizes: [...tensor.sizes, 1], axes: tensor.axes.with(axis, [last]) }, group: last, factor: last };
}

/** The value after a layer that changes the size of one factor. */
export function resized({ value, group, factor }: Isolated, ref: Stored["ref"], size: number): Stored {
  return { ...value, ref, physical: value.physical.with(group, size), sizes: value.sizes.with(factor, size) };
}

/** A slice along one axis. */
export function taken(at: Isolated, { start, step, size }: Cut, node: Node, o: Lowering, suffix: string): Stored {
  const side = at.value.sizes[at.factor] as number;
  const last = start + step * size;
  const end = last < 0 ? -side - 1 : last;
  const config = { axes: [at.group], starts: [start], ends: [end], steps: [step] };
  return resized(at, o.emit("SliceLayer", node, [at.value], { suffix, config }), size);
}

/**
 * A value repeated `count` times along an axis: [B,…] → [B,count,…], where the new factor is the first of that axis. Images are not repeated.
 */
export function repeatedAlong(value: Stored, axis: number, count: number, node: Node, o: Lowering): Stored {
  if (count === 1) return value;
  if (value.axes[axis]?.includes(0) || count >= batch) return o.refuseMixing(node);
  const before = o.layout.arranged(
    value,
    [
      [0],
      [],
      ...everyFactor(value)
        .slice(1)
        .map((one) => [one]),
    ],
    node,
  );
  const physical = before.physical.with(1, count);
  const ref = o.emit("BatchBroadcast", node, [before], { suffix: `_repeat${axis}`, config: { shape: physical.slice(1) } });
  const axes = value.axes.map((factors) => factors.map((factor) => (factor === 0 ? 0 : factor + 1)));
  const [images = 1, ...others] = value.sizes;
  return { ref, physical, sizes: [images, count, ...others], axes: axes.with(axis, [1, ...(axes[axis] ?? [])]) };
}

/** A value repeated along its axes of size 1 until it has the shape, of the same rank. From the last axis on, so that an image is [B,H,W,C]. */
export function spread(value: Stored, shape: readonly number[], node: Node, o: Lowering): Stored {
  const own = shapeOfStored(value);
  return shape.reduceRight<Stored>((all, side, axis) => (own[axis] === side ? all : repeatedAlong(all, axis, side, node, o)), value);
}
