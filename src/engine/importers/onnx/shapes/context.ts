import { intsOf, type Node } from "../graph.ts";
import { exportAgain, exportFixed, invalidModel, unsupportedModel } from "../problems.ts";
import { type Constant, isConstant, type Live, type Value } from "../values.ts";

/** A node and its inputs, as seen by the rules for output shapes. */
export class ShapeContext {
  readonly node: Node;
  readonly inputs: readonly (Value | undefined)[];
  readonly file: string;
  /** Set if the file has a fixed batch size: how to read its Reshapes. */
  readonly fixed: FixedBatch | undefined;

  constructor(node: Node, inputs: readonly (Value | undefined)[], file: string, fixed?: FixedBatch) {
    this.node = node;
    this.inputs = inputs;
    this.file = file;
    this.fixed = fixed;
  }

  input(index: number): Value {
    return this.inputs[index] ?? this.fail(`lacks its input ${index + 1}`);
  }
  shape(index: number): readonly number[] {
    return this.input(index).shape;
  }

  /** The numbers of a constant input; undefined if it is left out. */
  ints(index: number): readonly number[] | undefined {
    const value = this.inputs[index];
    if (value === undefined) return undefined;
    if (!isConstant(value))
      throw unsupportedModel(this.file, `has a node "${this.node.title}" (${this.node.op}) whose sizes depend on the picture`, exportFixed);
    return [...value.data];
  }

  /** Axes and the like, which are an attribute in older operator sets and an input in newer ones. */
  attributeOrInput(name: string, index: number): readonly number[] | undefined {
    return intsOf(this.node, name) ?? this.ints(index);
  }

  /** Resolves a negative axis, which counts from the end. */
  axis(axis: number, rank: number): number {
    const counted = axis < 0 ? axis + rank : axis;
    return Number.isInteger(counted) && counted >= 0 && counted < rank ? counted : this.fail(`names the axis ${axis} of ${rank}`);
  }

  fail(what: string): never {
    throw invalidModel(this.file, `has a node "${this.node.title}" (${this.node.op}) that ${what}`, exportAgain);
  }
  unsupported(what: string): never {
    throw unsupportedModel(this.file, `has a node "${this.node.title}" (${this.node.op}) ${what}, which is not computed here`, exportFixed);
  }
}

/** A file with a fixed batch size, read for another one. */
export interface FixedBatch {
  /** The file's batch size. */
  readonly count: number;
  /** The batch size at hand. */
  readonly batch: number;
  /** The shape of a value at batch size `count`. */
  literal(name: string): readonly number[];
  /** The numbers of a constant at batch size `count`; undefined for what is none. */
  numbers(name: string): ArrayLike<number> | undefined;
  /** Which of `count` readings of an ambiguous Reshape to use, from 0. */
  reading(count: number): number;
}

/** Shapes of a node's outputs, or the outputs themselves if constant. */
export type ShapeRule = (context: ShapeContext) => readonly (Live | Constant)[];
