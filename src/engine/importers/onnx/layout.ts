import { countOf } from "../strided.ts";
import type { Ref } from "../topology/graph.ts";
import type { Node } from "./graph.ts";
import type { Plan } from "./plan.ts";

/**
 * How the network stores a value. Each axis in the file is a product of stored axes ("factors"), major first, which need not be adjacent in
 * storage. [B,C,H,W] stored as [B,H,W,C] has `sizes` [B,H,W,C] and `axes` [[0],[3],[1],[2]]. Factors of size 1 are left out.
 */
export interface Stored {
  readonly ref: Ref;
  /** Shape of the layer's output: the factors in order, where neighbours may be merged, and ones. */
  readonly physical: readonly number[];
  /** Sizes of the factors in storage order; the first is `batch`. */
  readonly sizes: readonly number[];
  readonly axes: readonly (readonly number[])[];
}
/** The factors of each axis of a tensor; none for an axis of size 1. */
export type Groups = readonly (readonly number[])[];

const product = (sizes: readonly number[], factors: readonly number[]): number => countOf(factors.map((factor) => sizes[factor] as number));
export const isIdentity = (order: readonly number[]): boolean => order.every((factor, i) => factor === i);
export const shapeOfStored = ({ sizes, axes }: Stored): number[] => axes.map((factors) => product(sizes, factors));
export const everyFactor = ({ sizes }: Pick<Stored, "sizes">): number[] => sizes.map((_, i) => i);

/** Drops factors of size 1. */
export function withoutOnes(v: Stored): Stored {
  const kept = everyFactor(v).filter((factor) => v.sizes[factor] !== 1);
  if (kept.length === v.sizes.length) return v;
  const places = new Map(kept.map((factor, i) => [factor, i]));
  const axes = v.axes.map((factors) => factors.flatMap((factor) => places.get(factor) ?? []));
  return { ...v, sizes: kept.map((factor) => v.sizes[factor] as number), axes };
}

/** Splits a factor in two, major first. Storage does not change. */
export function split(v: Stored, factor: number, major: number): Stored {
  const sizes = [...v.sizes];
  sizes.splice(factor, 1, major, (sizes[factor] as number) / major);
  const moved = (one: number): readonly number[] => (one === factor ? [factor, factor + 1] : [one < factor ? one : one + 1]);
  return { ...v, sizes, axes: v.axes.map((factors) => factors.flatMap(moved)) };
}

/** The factors of each axis of `physical`. */
export function physicalGroups({ physical, sizes }: Stored): number[][] {
  let next = 0;
  return physical.map((size) => {
    const group: number[] = [];
    for (let left = size; left > 1; left /= sizes[next - 1] as number) group.push(next++);
    return group;
  });
}

/**
 * A reshaped value over the same storage. Undefined if a size does not divide the factors it covers.
 */
export function reshaped(v: Stored, target: readonly number[]): Stored | undefined {
  let now: Stored = { ...v, axes: v.axes.flat().map((factor) => [factor]) };
  let place = 0;
  const groups: number[][] = [];
  for (const size of target) {
    const group: number[] = [];
    let needed = size;
    while (needed > 1) {
      const [factor] = now.axes[place] ?? [];
      if (factor === undefined) return undefined;
      const own = now.sizes[factor] as number;
      if (needed % own === 0) needed /= own;
      else if (own % needed === 0) {
        const cut = split(now, factor, needed);
        now = { ...cut, axes: cut.axes.flatMap((factors) => factors.map((one) => [one])) };
        needed = 1;
      } else return undefined;
      group.push(place++);
    }
    groups.push(group);
  }
  if (place !== now.axes.length) return undefined;
  return { ...now, axes: groups.map((group) => group.map((one) => now.axes[one]?.[0] as number)) };
}

/** Splits the factors of two values until they agree along the given axes; undefined if sizes do not divide each other. */
export function refined(a: Stored, b: Stored, axes: readonly number[]): [Stored, Stored] | undefined {
  let [one, other] = [a, b];
  for (const axis of axes)
    for (let i = 0; i < Math.max(one.axes[axis]?.length ?? 0, other.axes[axis]?.length ?? 0); i++) {
      const [f, g] = [one.axes[axis]?.[i], other.axes[axis]?.[i]];
      if (f === undefined || g === undefined) return undefined;
      const [n, m] = [one.sizes[f] as number, other.sizes[g] as number];
      if (n > m && n % m === 0) one = split(one, f, m);
      else if (m > n && m % n === 0) other = split(other, g, n);
      else if (n !== m) return undefined;
    }
  return [one, other];
}

/** Prepends axes of size 1 up to a rank. */
export const ranked = (v: Stored, rank: number): Stored => ({
  ...v,
  axes: [...Array.from({ length: rank - v.axes.length }, () => []), ...v.axes],
});

/** Adds layers that change how a value is stored, and records those that move numbers. */
export class Layout {
  readonly plan: Plan;
  private readonly reshapes = new Map<string, Ref>();

  constructor(plan: Plan) {
    this.plan = plan;
  }

  /** The same numbers in the same order under other sizes. */
  private reshape(v: Stored, physical: readonly number[], node: Node): Stored {
    if (physical.join() === v.physical.join()) return v;
    const key = `${physical.join()}:${v.ref.layer}`;
    const known = this.reshapes.get(key);
    const target = physical.slice(1);
    const ref =
      known ??
      (target.length === 1
        ? this.plan.add("Flatten", { node, suffix: "_flat", inputs: [v.ref] })
        : this.plan.add("Reshape", { node, suffix: "_reshape", inputs: [v.ref], config: { target_shape: target } }));
    this.reshapes.set(key, ref);
    return { ...v, ref, physical };
  }

  /**
   * A value as a tensor whose axes are the given groups of factors, the batch first. Moves numbers if the groups are not in storage order.
   */
  arranged(v: Stored, groups: Groups, node: Node): Stored {
    const order = groups.flat();
    const wanted = groups.map((group) => product(v.sizes, group));
    if (order[0] !== 0 || groups[0]?.length !== 1) throw new Error(`${node.title}: the images are not the first axis`);
    if (isIdentity(order)) return this.reshape(v, wanted, node);
    const runs = runsOf(order);
    const places = [...runs].sort((a, b) => (a[0] as number) - (b[0] as number));
    const before = this.reshape(
      v,
      places.map((run) => product(v.sizes, run)),
      node,
    );
    const dims = runs.slice(1).map((run) => places.indexOf(run));
    const ref = this.plan.add("Permute", { node, suffix: "_permute", inputs: [before.ref], config: { dims } });
    this.plan.moves.push({ title: node.title, op: node.op, value: node.inputs[0] ?? "" });
    const position = new Map(order.map((factor, i) => [factor, i]));
    const moved: Stored = {
      ref,
      physical: runs.map((run) => product(v.sizes, run)),
      sizes: order.map((factor) => v.sizes[factor] as number),
      axes: v.axes.map((factors) => factors.map((factor) => position.get(factor) as number)),
    };
    return this.reshape(moved, wanted, node);
  }

  /** Merges the factors of an axis into one, placed last if `isLast`. Adjacent factors are not moved. */
  single(v: Stored, axis: number, node: Node, isLast = false): Stored {
    const factors = v.axes[axis] ?? [];
    const others = everyFactor(v).filter((factor) => !factors.includes(factor));
    const isTogether = factors.every((factor, i) => i === 0 || factor === (factors[i - 1] as number) + 1);
    const isInPlace = isTogether && (!isLast || factors.length === 0 || factors.at(-1) === v.sizes.length - 1);
    const order = isInPlace ? everyFactor(v) : [...others, ...factors];
    const moved = isInPlace
      ? v
      : this.arranged(
          v,
          order.map((factor) => [factor]),
          node,
        );
    return factors.length < 2 ? moved : merged(moved, moved.axes[axis] as readonly number[], this, node);
  }
}

/** Runs of factors that are adjacent both in storage and in `order`; the batch stays alone. */
function runsOf(order: readonly number[]): number[][] {
  const runs: number[][] = [];
  for (const factor of order) {
    const last = runs.at(-1);
    if (last && last.at(-1) === factor - 1 && factor > 1) last.push(factor);
    else runs.push([factor]);
  }
  return runs;
}

/** Merges adjacent factors into one. */
function merged(v: Stored, factors: readonly number[], layout: Layout, node: Node): Stored {
  const first = factors[0] as number;
  const count = factors.length;
  const groups = everyFactor(v)
    .filter((factor) => factor <= first || factor >= first + count)
    .map((factor) => (factor === first ? [...factors] : [factor]));
  const isWhole = physicalGroups(v).every((group) => group.every((f) => factors.includes(f)) || group.every((f) => !factors.includes(f)));
  const flat = isWhole && physicalGroups(v).some((group) => group.join() === factors.join()) ? v : layout.arranged(v, groups, node);
  const sizes = groups.map((group) => product(v.sizes, group));
  const place = (factor: number): number[] => (factor < first + 1 ? [factor] : factor < first + count ? [] : [factor - count + 1]);
  return { ...flat, sizes, axes: v.axes.map((list) => list.flatMap(place)) };
}
