import type { Reduction } from "../../../models/layers/index.ts";
import type { Node } from "../graph.ts";
import { everyFactor, physicalGroups } from "../layout.ts";
import type { Lowering } from "./lowering.ts";

/** One number for all elements along some axes of the file, in any storage order. */
export function reduceAlong(
  node: Node,
  o: Lowering,
  { operation, axes, keeps }: { readonly operation: Reduction; readonly axes: readonly number[]; readonly keeps: boolean },
): void {
  const value = o.stored(node, 0);
  const gone = new Set(axes.flatMap((axis) => value.axes[axis] ?? []));
  if (gone.has(0)) o.refuseMixing(node);
  const isUniform = physicalGroups(value).every((group) => new Set(group.map((factor) => gone.has(factor))).size <= 1);
  const x = isUniform
    ? value
    : o.arranged(
        node,
        0,
        everyFactor(value).map((factor) => [factor]),
      );
  const along = physicalGroups(x).flatMap((group, i) => (group.some((factor) => gone.has(factor)) ? [i] : []));
  const left = x.axes.map((factors, axis) => (axes.includes(axis) ? [] : factors)).filter((_, axis) => keeps || !axes.includes(axis));
  const isNone = along.length === 0 && ["mean", "sum", "max", "min", "prod"].includes(operation);
  const ref = isNone ? x.ref : o.emit("Reduce", node, [x], { config: { operation, axes: along, keep_dims: true } });
  const sizes = x.sizes.map((size, factor) => (gone.has(factor) ? 1 : size));
  const physical = x.physical.map((size, i) => (along.includes(i) ? 1 : size));
  o.set(node.outputs[0], { ref, physical, sizes, axes: left });
}
