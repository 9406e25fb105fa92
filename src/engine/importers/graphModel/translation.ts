import type { Attribute, FileNode } from "../onnx/file/model.ts";
import type { Node } from "../onnx/graph.ts";
import { UnsupportedModel } from "../onnx/problems.ts";
import { type Constant, ofInts } from "../onnx/values.ts";
import { convertInstead } from "./refusals.ts";

type Attributes = Readonly<Record<string, number | string | readonly number[]>>;

/** The newest operator set that the op graph knows: axes and sizes are inputs. */
const opset = 22;
const toChannelsFirst = [0, 3, 1, 2];
const toChannelsLast = [0, 2, 3, 1];

/** A node's name without the calls of functions that it went through, which say nothing. Layers are named after it. */
const titleOf = (name: string): string => name.replace(/(^|\/)((Stateful)?PartitionedCall(_\d+)?\/)+/g, "$1");

/** Collects the operators of ONNX that nodes of TensorFlow are translated into. */
export class Translation {
  readonly nodes: Node[] = [];
  readonly constants: Map<string, Constant>;
  /** For the user, in the order in which they came up. */
  readonly notes = new Set<string>();
  private readonly file: string;
  private readonly first = new Map<string, string>();
  /** Block of the SpaceToBatchND before a value: how far the pixels that a kernel sees lie apart. */
  private readonly blocks = new Map<string, readonly number[]>();
  private node: FileNode = { name: "", op: "", domain: "", inputs: [], outputs: [], attributes: new Map() };
  private title = "";
  private count = 0;

  constructor(file: string, constants: ReadonlyMap<string, Constant>) {
    this.file = file;
    this.constants = new Map(constants);
  }

  /** Names what is emitted from now on after a node. */
  begin(node: FileNode): void {
    this.node = node;
    this.title = titleOf(node.name);
  }

  /** Emits under a longer name: the node's own one belongs to what comes after. */
  within(part: string, emit: () => string): string {
    this.title = `${titleOf(this.node.name)}/${part}`;
    const value = emit();
    this.title = titleOf(this.node.name);
    return value;
  }

  /** Adds an operator. @returns the name of its output */
  emit(op: string, inputs: readonly string[], attributes: Attributes = {}): string {
    return this.emitAll(op, inputs, attributes, 1)[0] as string;
  }
  /** Adds an operator of several outputs. */
  emitAll(op: string, inputs: readonly string[], attributes: Attributes, count: number): string[] {
    const outputs = Array.from({ length: count }, () => this.unique());
    const entries = Object.entries(attributes).map(([name, value]) => [name, { name, ...held(value) }] as const);
    this.nodes.push({
      name: this.title,
      title: this.title,
      op,
      domain: "",
      opset,
      inputs: [...inputs],
      outputs,
      attributes: new Map(entries),
    });
    return outputs;
  }
  /** A new constant list of integers. */
  list(...values: readonly number[]): string {
    const name = this.unique();
    this.constants.set(name, ofInts(values));
    return name;
  }

  /** [B,H,W,C] → [B,C,H,W]. Undoes `channelsLast` where that made the value. */
  channelsFirst(value: string): string {
    return this.first.get(value) ?? this.emit("Transpose", [value], { perm: toChannelsFirst });
  }
  /** [B,C,H,W] → [B,H,W,C]. */
  channelsLast(value: string): string {
    const last = this.emit("Transpose", [value], { perm: toChannelsLast });
    this.first.set(last, value);
    return last;
  }
  /** The value was made by an operator on images. */
  isImage(value: string): boolean {
    return this.first.has(value);
  }

  blockOf(value: string): readonly number[] | undefined {
    return this.blocks.get(value);
  }
  inBlocks(value: string, block: readonly number[]): string {
    this.blocks.set(value, block);
    return value;
  }

  /** A constant input of the node. */
  constant(value: string | undefined, what: string): Constant {
    return this.constants.get(value ?? "") ?? this.refuse(`whose ${what} is not constant`);
  }
  ints(value: string | undefined, what: string): number[] {
    return [...this.constant(value, what).data];
  }
  int(value: string | undefined, what: string): number {
    return this.ints(value, what)[0] ?? this.refuse(`without ${what}`);
  }

  refuse(what: string): never {
    const { name, op } = this.node;
    throw new UnsupportedModel(this.file, `has a node "${name}" (${op}) ${what}, which is not computed here`, convertInstead);
  }

  /** Begins with a character that no name in TensorFlow begins with. */
  private unique(): string {
    return `#${++this.count} ${this.node.name}`;
  }
}

/** A number is both an integer and a float: each operator reads one of them. */
function held(value: Attributes[string]): Omit<Attribute, "name"> {
  if (typeof value === "string") return { text: value };
  return typeof value === "number" ? { int: value, float: value } : { ints: value };
}

/** Translates a node; `inputs` are values of the op graph. Returns the node's outputs there, in order. */
export type Rule = (o: Translation, node: FileNode, inputs: readonly string[]) => string | readonly string[];
