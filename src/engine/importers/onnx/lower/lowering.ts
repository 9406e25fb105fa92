import { countOf, stridesOf } from "../../strided.ts";
import type { Config, Ref } from "../../topology/graph.ts";
import { type Analysis, batch } from "../analysis.ts";
import type { Node } from "../graph.ts";
import { everyFactor, isIdentity, Layout, physicalGroups, type Stored, withoutOnes } from "../layout.ts";
import type { Plan, PlannedWeight } from "../plan.ts";
import { unsupportedModel, wrongInput } from "../problems.ts";
import { ShapeContext } from "../shapes/context.ts";
import { Constant, gathered } from "../values.ts";

interface Emitted {
  readonly suffix?: string;
  readonly config?: Config;
  readonly weights?: readonly PlannedWeight[];
}

/** State shared by the rules that turn nodes into layers: how values are stored, constants, and the growing plan. */
export class Lowering {
  readonly file: string;
  readonly plan: Plan;
  readonly layout: Layout;
  readonly analysis: Analysis;
  private readonly values = new Map<string, Stored>();
  private readonly declared = new Map<string, readonly number[]>();
  private readonly users: ReadonlyMap<string, readonly Node[]>;
  private readonly makers: ReadonlyMap<string, Node>;

  constructor(o: { file: string; plan: Plan; analysis: Analysis; nodes: readonly Node[] }) {
    this.file = o.file;
    this.plan = o.plan;
    this.layout = new Layout(o.plan);
    this.analysis = o.analysis;
    this.users = usersOf(o.nodes);
    this.makers = new Map(o.nodes.flatMap((node) => node.outputs.map((name) => [name, node] as const)));
  }

  /** How values are stored now, by name; some were moved after they were computed. */
  get stores(): ReadonlyMap<string, Stored> {
    return this.values;
  }
  /** Nodes that use a value. */
  usersOf(name: string): readonly Node[] {
    return this.users.get(name) ?? [];
  }
  /** The node that makes a value. */
  makerOf(name: string | undefined): Node | undefined {
    return name === undefined ? undefined : this.makers.get(name);
  }
  isUsed(name: string | undefined): boolean {
    return name !== undefined && name !== "" && this.usersOf(name).length > 0;
  }

  shape(name: string): readonly number[] {
    return this.declared.get(name) ?? this.analysis.shapeOf(name);
  }
  /** Says the shape of a value between the layers of one node, which the file does not have. */
  declare(name: string, shape: readonly number[]): void {
    this.declared.set(name, shape);
  }
  constant(name: string | undefined): Constant | undefined {
    return name === undefined || name === "" ? undefined : this.analysis.constantOf(name);
  }
  /** A constant input that the node needs. */
  weight(node: Node, index: number): Constant {
    return this.constant(node.inputs[index]) ?? this.refuse(node, `with an input ${index + 1} that is not constant`);
  }
  isLive(name: string | undefined): name is string {
    return name !== undefined && this.values.has(name);
  }
  stored(node: Node, index: number): Stored {
    const found = this.values.get(node.inputs[index] ?? "");
    return found ?? this.refuse(node, "of constants alone");
  }
  set(name: string | undefined, value: Stored): void {
    if (name) this.values.set(name, withoutOnes(value));
  }
  /** Records that a value was moved, so that its other users share the moved one. */
  replace(name: string | undefined, value: Stored): Stored {
    this.set(name, value);
    return value;
  }

  /** Adds a layer on tensors as they are stored. */
  emit(className: string, node: Node, inputs: readonly Stored[], o: Emitted = {}): Ref {
    return this.plan.add(className, { node, inputs: inputs.map(({ ref }) => ref), ...o });
  }
  /** Adds a layer of one input whose output is stored like the input. */
  alike(className: string, node: Node, o: Emitted = {}): void {
    const value = this.stored(node, 0);
    this.set(node.outputs[0], { ...value, ref: this.emit(className, node, [value], o) });
  }

  /** The file's [B,C,H,W] as a tensor [B,H,W,C]; where such ranks are taken, [B,C,L] as [B,1,L,C] and [B,C,D,H,W] as [B,D,H,W,C]. */
  image(node: Node, ranks: readonly number[] = [4]): Stored {
    const { axes } = this.stored(node, 0);
    if (!ranks.includes(axes.length)) this.refuse(node, `on a value of ${axes.length} axes`);
    const [images = [], channels = [], ...sides] = axes;
    return this.arranged(node, 0, [images, ...(sides.length === 1 ? [[]] : []), ...sides, channels]);
  }
  /** Sets the output to that of an image layer, [B,H,W,C]. */
  setImage(node: Node, ref: Ref): void {
    const [b = batch, c = 1, ...sides] = this.shape(node.outputs[0] as string);
    const sizes = [b, ...sides, c];
    const physical = sides.length === 1 ? [b, 1, ...sides, c] : sizes;
    this.set(node.outputs[0], { ref, physical, sizes, axes: [[0], [sizes.length - 1], ...sides.map((_, i) => [i + 1])] });
  }

  /** An input as a tensor whose axes are the given groups of factors. */
  arranged(node: Node, index: number, groups: readonly (readonly number[])[]): Stored {
    const value = this.stored(node, index);
    if (groups[0]?.join() !== "0") this.refuse(node, "across the pictures of a batch");
    const moved = this.layout.arranged(value, groups, node);
    if (!isIdentity(groups.flat())) this.set(node.inputs[index], moved);
    return moved;
  }

  /** An input as a tensor whose last axis is the given factors, in storage order. */
  trailing(node: Node, index: number, factors: readonly number[]): Stored & { readonly last: readonly number[] } {
    const value = this.stored(node, index);
    const others = everyFactor(value).filter((factor) => !factors.includes(factor));
    const last = [...factors].sort((a, b) => a - b);
    const isInPlace = isIdentity([...others, ...last]);
    const isOneAxis = physicalGroups(value).at(-1)?.join() === last.join() && value.physical.length > 1;
    if (isInPlace && isOneAxis) return { ...value, last };
    if (factors.includes(0)) return this.refuseMixing(node);
    const moved = this.arranged(node, index, [...others.map((factor) => [factor]), last]);
    const kept = isInPlace ? last : everyFactor(value).slice(others.length);
    return { ...moved, last: kept };
  }

  /** The context for shape rules at one batch size; their results for the axes of an image hold for any. */
  context(node: Node): ShapeContext {
    const inputs = node.inputs.map((name) => (name === "" ? undefined : this.analysis.exampleOf(name)));
    return new ShapeContext(node, inputs, this.file);
  }

  /** For a network whose scores for a picture depend on the rest of the batch. Running the file elsewhere would not help. */
  refuseMixing({ title, op }: Node): never {
    const what = `computes across the pictures of a batch in "${title}" (${op})`;
    throw wrongInput(this.file, what, "Use a network that classifies each picture by itself.");
  }

  refuse(node: Node, what: string, fix = `Export the network without that ${node.op}.`): never {
    throw unsupportedModel(this.file, `has a node "${node.title}" (${node.op}) ${what}, which is not computed here`, fix);
  }
}

function usersOf(nodes: readonly Node[]): Map<string, Node[]> {
  const users = new Map<string, Node[]>();
  for (const node of nodes)
    for (const name of new Set(node.inputs)) {
      const others = users.get(name);
      if (others) others.push(node);
      else users.set(name, [node]);
    }
  return users;
}

/** A strided view of a constant. */
export function viewed(constant: Constant, shape: readonly number[], strides: readonly number[]): Constant {
  const { kind, isOfBatch, title } = constant;
  return new Constant({ kind, isOfBatch, title, shape }, (visit) => visit(gathered(kind, constant.data, shape, strides), 0));
}

/** A constant with a function applied to each number. */
export function mapped(constant: Constant, change: (x: number) => number): Constant {
  const { kind, isOfBatch, title, shape } = constant;
  return new Constant({ kind, isOfBatch, title, shape }, (visit) => constant.forBlocks((block, at) => visit(block.map(change), at)));
}

export const plainWeight = (name: string, constant: Constant, shape: readonly number[] = constant.shape): PlannedWeight => ({
  name,
  shape,
  constant,
});

/**
 * A constant operand in the storage order of a value. Its shape leaves out the batch axis and leading ones. Undefined if the constant is
 * larger than the value along an axis.
 */
export function constantFor(v: Stored, constant: Constant, shape: readonly number[]): Constant | undefined {
  const own = [...new Array<number>(Math.max(0, shape.length - constant.shape.length)).fill(1), ...constant.shape];
  if (own.length > shape.length || own.some((side, i) => side !== 1 && side !== batch && side !== shape[i])) return undefined;
  const once = own.map((side) => (side === batch ? 1 : side));
  const ownStrides = stridesOf(once);
  const strides = new Array<number>(v.sizes.length).fill(0);
  const isFull = new Array<boolean>(v.sizes.length).fill(false);
  v.axes.forEach((factors, axis) => {
    if ((once[axis] as number) === 1) return;
    let stride = ownStrides[axis] as number;
    for (const factor of [...factors].reverse()) {
      strides[factor] = stride;
      isFull[factor] = true;
      stride *= v.sizes[factor] as number;
    }
  });
  const groups = physicalGroups(v).slice(1);
  const shown = groups.map((group) => (group.some((factor) => isFull[factor]) ? group : []));
  const first = shown.findIndex((group) => group.length > 0);
  const kept = first < 0 ? [] : shown.slice(first);
  const view = kept.flat();
  const numbers = viewed(
    constant,
    view.map((factor) => v.sizes[factor] as number),
    view.map((factor) => strides[factor] as number),
  );
  const sides = kept.map((group) => countOf(group.map((factor) => v.sizes[factor] as number)));
  return new Constant({ kind: "float", isOfBatch: false, title: constant.title, shape: sides }, (visit) => numbers.forBlocks(visit));
}

export type Lower = (node: Node, o: Lowering) => void;
