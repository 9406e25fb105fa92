import { intsOf, type Node } from "../graph.ts";
import { exportAgain, exportFixed, invalidModel, unsupportedModel } from "../problems.ts";
import { type Constant, isConstant, type Live, type Value } from "../values.ts";

/** What a rule about the shape of a node's outputs has to go by. */
export class ShapeContext {
  readonly node: Node;
  readonly inputs: readonly (Value | undefined)[];
  readonly file: string;
  /** Of the fixed number of images of the file, N, and how Reshapes are to be understood then. */
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

  /** Whole numbers of an input that is a constant; undefined where it is left out. */
  ints(index: number): readonly number[] | undefined {
    const value = this.inputs[index];
    if (value === undefined) return undefined;
    if (!isConstant(value))
      throw unsupportedModel(this.file, `has a node "${this.node.title}" (${this.node.op}) whose sizes depend on the picture`, exportFixed);
    return [...value.data];
  }

  /** Axes, and the like, of an attribute in older operator sets and an input in newer ones. */
  attributeOrInput(name: string, index: number): readonly number[] | undefined {
    return intsOf(this.node, name) ?? this.ints(index);
  }

  /** An axis counted from the end where it is negative. */
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

export interface FixedBatch {
  /** Images of the file. */
  readonly count: number;
  /** Images now. */
  readonly batch: number;
  /** The shape that a value has for `count` images. */
  literal(name: string): readonly number[];
  /** Which of several readings of an ambiguous Reshape to take, from 0. */
  reading(count: number): number;
}

/** Shapes, or whole constants, of a node's outputs. */
export type ShapeRule = (context: ShapeContext) => readonly (Live | Constant)[];
