import type { Device } from "../../../shared/devices.ts";
import { footprint, type Size } from "./footprint.ts";
import { isSameShape } from "./keys.ts";
import { type Attribute, type ElementType, elementCode, encodeModel, type Initializer, type OnnxNode, type Port } from "./onnx.ts";
import { belongsOnCpu, missingChannels } from "./provider.ts";

/** A value inside the graph that is being written. `uses` counts the kernels (and readers) that want it; lowerings may fuse what has one. */
export interface Value {
  readonly name: string;
  readonly shape: readonly number[];
  readonly dtype: ElementType;
  uses?: number;
  /** Depends on constants only, so that onnxruntime computes it once, at compile time. */
  readonly constant?: boolean;
  /** Gives value · factor + shift, constant vectors along the last axis, by folding both into the constant weights that the value comes from. */
  readonly affine?: Affine | undefined;
}
export type Affine = (factor: Value, shift: Value) => Value;
type Attributes = Readonly<Record<string, Attribute>>;

const elementBytes: Readonly<Record<ElementType, number>> = { float32: 4, int32: 4, bool: 1, int64: 8, float64: 8 };

export const sizeOf = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1);
const broadcast = (a: readonly number[], b: readonly number[]): number[] =>
  [...Array(Math.max(a.length, b.length)).keys()]
    .map((i) => {
      const x = a[a.length - 1 - i] ?? 1;
      const y = b[b.length - 1 - i] ?? 1;
      return x === 1 ? y : x;
    })
    .reverse();
/** Constants of this many bytes or more are not copied into the model. */
const externalBytes = 4096;
/** Notes about a value [..., C] that stay true when it is reshaped and C is left alone. */
const channelNotes = ["blocked", "conv"];
const bytesOf = (array: ArrayBufferView): Uint8Array => new Uint8Array(array.buffer, array.byteOffset, array.byteLength);

/** A model, and the constants that it only names, which onnxruntime reads from their own arrays. */
export interface Encoded {
  readonly model: Uint8Array;
  readonly weights: readonly { readonly path: string; readonly data: Uint8Array }[];
  /** Estimated bytes that the compiled graph holds, not counting what is fed. */
  readonly heldBytes: number;
}

/** Writes one ONNX graph; every helper knows its result's shape and type, so lowerings never state them twice. */
export class Graph {
  readonly nodes: OnnxNode[] = [];
  private readonly initializers = new Map<string, Initializer>();
  private readonly inputs: Port[] = [];
  private readonly constants = new Map<string, Value>();
  private readonly notes = new Map<string, Value>();
  private readonly producers = new Map<string, OnnxNode>();
  /** Channels to a block in onnxruntime's own layout; 0 where there is none. */
  readonly block: number;
  /** Threads that will run it; work is split for them. */
  readonly threads: number;
  /** Names of the nodes that the device must leave to the CPU. */
  readonly cpuNodes: string[] = [];
  private readonly device: Device;
  private readonly lists = new Map<string, readonly number[]>();
  /** Of all values except the inputs, whose memory belongs to the caller. */
  private readonly sizes = new Map<string, Size>();
  private count = 0;

  constructor(block = 0, device: Device = "cpu", threads = 1) {
    this.block = block;
    this.threads = threads;
    this.device = device;
  }

  get isOnCpu(): boolean {
    return this.device === "cpu";
  }

  input(shape: readonly number[], dtype: ElementType): Value {
    const value = { name: `L${this.count++}`, shape, dtype };
    this.inputs.push(value);
    return value;
  }

  initializer(shape: readonly number[], dtype: ElementType, data: ArrayBufferView): Value {
    const value = { name: `C${this.count++}`, shape, dtype, constant: true };
    this.initializers.set(value.name, { ...value, bytes: bytesOf(data) });
    this.sizes.set(value.name, { bytes: data.byteLength, constant: true });
    return value;
  }

  private constant(key: string, make: () => Value): Value {
    const known = this.constants.get(key);
    if (known) return known;
    const value = make();
    this.constants.set(key, value);
    return value;
  }

  ints(values: readonly number[]): Value {
    const value = this.constant(`i${values}`, () => this.initializer([values.length], "int64", BigInt64Array.from(values.map(BigInt))));
    if (this.device !== "cpu") this.lists.set(value.name, values);
    return value;
  }

  scalar(value: number, dtype: ElementType = "float32"): Value {
    return this.constant(`${dtype}${Object.is(value, -0) ? "-0" : value}`, () => {
      if (dtype === "float32") return this.initializer([], dtype, Float32Array.of(value));
      if (dtype === "float64") return this.initializer([], dtype, Float64Array.of(value));
      if (dtype === "int32") return this.initializer([], dtype, Int32Array.of(value));
      if (dtype === "int64") return this.initializer([], dtype, BigInt64Array.of(BigInt(value)));
      return this.initializer([], dtype, Uint8Array.of(value ? 1 : 0));
    });
  }

  /** The raw form: one node with any number of outputs. An empty name stands for an input left out. */
  emit(
    type: string,
    given: readonly (Value | undefined)[],
    outputs: readonly Omit<Value, "name">[],
    attributes: Attributes = {},
    domain?: string,
  ): Value[] {
    const named = given.slice(0, given.findLastIndex((input) => input !== undefined) + 1); // an empty name at the end crashes WebGPU
    const inputs = this.device === "cpu" ? named : this.widened(type, named, attributes);
    const constant = inputs.every((input) => !input || input.constant === true);
    const values = outputs.map(({ shape, dtype }) => ({ name: `t${this.count++}`, shape, dtype, constant }));
    const names = { inputs: inputs.map((input) => input?.name ?? ""), outputs: values.map((value) => value.name) };
    const node = { type, ...names, attributes, ...(domain ? { domain } : {}), ...this.placed(type, inputs, outputs.length, attributes) };
    this.nodes.push(node);
    for (const value of values) {
      this.producers.set(value.name, node);
      this.sizes.set(value.name, { bytes: elementBytes[value.dtype] * sizeOf(value.shape), constant });
    }
    return values;
  }

  private widened(type: string, inputs: readonly (Value | undefined)[], attributes: Attributes): readonly (Value | undefined)[] {
    const missing = missingChannels(this.device, { type, shapes: inputs.map((input) => input?.shape), attributes });
    if (missing === 0) return inputs;
    const wide = (value: Value | undefined): Value | undefined =>
      value &&
      this.pad(
        value,
        value.shape.map((_, axis) => [0, axis === 1 ? missing : 0]),
      );
    return [wide(inputs[0]), wide(inputs[1]), ...inputs.slice(2)];
  }

  private placed(type: string, inputs: readonly (Value | undefined)[], outputs: number, attributes: Attributes): { name?: string } {
    if (this.device === "cpu") return {};
    const shapes = inputs.map((input) => input?.shape);
    const constants = (i: number) => this.lists.get(inputs[i]?.name ?? "");
    if (!belongsOnCpu(this.device, { type, shapes, outputs, attributes, constants })) return {};
    const name = `cpu${this.cpuNodes.length}`;
    this.cpuNodes.push(name);
    return { name };
  }

  op(
    type: string,
    inputs: readonly (Value | undefined)[],
    shape: readonly number[],
    dtype: ElementType,
    attributes: Attributes = {},
    domain?: string,
  ): Value {
    const [value] = this.emit(type, inputs, [{ shape, dtype }], attributes, domain);
    if (!value) throw new Error(`${type} has no output`);
    return value;
  }

  /** The node that computes a value; undefined for inputs and constants. Lowerings may add inputs to it to fuse their own work. */
  producer(value: Value): OnnxNode | undefined {
    return this.producers.get(value.name);
  }

  /** Whether a value is there when `node` runs. */
  isBefore(value: Value, node: OnnxNode): boolean {
    const producer = this.producer(value);
    return !producer || this.nodes.indexOf(producer) < this.nodes.indexOf(node);
  }

  /** Remembers that `value` is `what` of `of`, so that a later lowering may use it (a ReLU for its own gradient's mask). */
  note(what: string, of: Value, value: Value): Value {
    this.notes.set(`${what} ${of.name}`, value);
    return value;
  }

  noted(what: string, of: Value): Value | undefined {
    return this.notes.get(`${what} ${of.name}`);
  }

  unary(type: string, x: Value, attributes: Attributes = {}): Value {
    return this.op(type, [x], x.shape, x.dtype, attributes);
  }

  binary(type: string, a: Value, b: Value, dtype: ElementType = a.dtype): Value {
    return this.op(type, this.unexpanded([a, b]), broadcast(a.shape, b.shape), dtype);
  }

  where(condition: Value, a: Value, b: Value): Value {
    return this.op("Where", this.unexpanded([condition, a, b]), broadcast(condition.shape, broadcast(a.shape, b.shape)), a.dtype);
  }

  /** Replaces expanded values by their originals as long as broadcasting still gives the same shape. */
  private unexpanded(values: readonly Value[]): Value[] {
    const wanted = values
      .map(({ shape }) => shape)
      .reduce(broadcast)
      .join();
    return values.reduce<Value[]>(
      (list, value, i) => {
        const small = list.with(i, this.noted("expanded from", value) ?? value);
        return small
          .map(({ shape }) => shape)
          .reduce(broadcast)
          .join() === wanted
          ? small
          : list;
      },
      [...values],
    );
  }

  cast(x: Value, dtype: ElementType): Value {
    return x.dtype === dtype ? x : this.op("Cast", [x], x.shape, dtype, { to: elementCode[dtype] });
  }

  /** The same values under another shape. Each shape is made only once, so that notes about it are found again. */
  reshape(x: Value, shape: readonly number[]): Value {
    if (isSameShape(x.shape, shape)) return x;
    const known = this.noted(`as ${shape}`, x);
    if (known) return known;
    const held = this.initializers.get(x.name);
    const plain = held ? this.initializer(shape, x.dtype, held.bytes) : this.op("Reshape", [x, this.ints(shape)], shape, x.dtype);
    const reshaped = x.uses === undefined ? plain : { ...plain, uses: x.uses };
    this.note("reshaped from", reshaped, x);
    // The channels are left alone, so notes about their layout still hold.
    for (const what of shape.at(-1) === x.shape.at(-1) ? channelNotes : []) {
      const noted = this.noted(what, x);
      if (noted) this.note(what, reshaped, noted);
    }
    return this.note(`as ${shape}`, x, reshaped);
  }

  transpose(x: Value, perm: readonly number[]): Value {
    if (perm.every((axis, i) => axis === i)) return x;
    const [source, earlier] = [this.noted("transposed from", x), this.producer(x)?.attributes["perm"]];
    // onnxruntime would keep a copy of the weights for each of two steps until it has folded all constants.
    if (x.constant && source && Array.isArray(earlier))
      return this.transpose(
        source,
        perm.map((axis) => earlier[axis] as number),
      );
    const shape = perm.map((axis) => x.shape[axis] ?? 1);
    const moved = this.op("Transpose", [x], shape, x.dtype, { perm });
    return this.note("transposed from", moved, x) && moved;
  }

  expand(x: Value, shape: readonly number[]): Value {
    if (isSameShape(x.shape, shape)) return x;
    const expanded = this.op("Expand", [x, this.ints(shape)], shape, x.dtype);
    return this.note("expanded from", expanded, x) && expanded;
  }

  /** x[begin : begin+size·step : step] along every axis; a negative step counts down from `begin`. */
  slice(x: Value, begin: readonly number[], size: readonly number[], step: readonly number[] = begin.map(() => 1)): Value {
    const axes = begin
      .map((_, axis) => axis)
      .filter((axis) => begin[axis] !== 0 || size[axis] !== x.shape[axis] || (step[axis] ?? 1) !== 1);
    if (axes.length === 0) return x;
    const pick = (list: readonly number[]) => axes.map((axis) => list[axis] ?? 0);
    const ends = axes.map((axis) => {
      const stride = step[axis] ?? 1;
      const last = (begin[axis] ?? 0) + ((size[axis] ?? 1) - 1) * stride;
      return stride > 0 ? last + 1 : last === 0 ? Number.MIN_SAFE_INTEGER : last - 1;
    });
    const inputs = [x, this.ints(pick(begin)), this.ints(ends), this.ints(axes), this.ints(pick(step))];
    return this.op("Slice", inputs, size, x.dtype);
  }

  /** Pads every axis by [before, after] with one value. */
  pad(x: Value, paddings: readonly (readonly [number, number])[], value = 0): Value {
    if (paddings.every(([before, after]) => before === 0 && after === 0)) return x;
    const shape = x.shape.map((size, axis) => size + (paddings[axis]?.[0] ?? 0) + (paddings[axis]?.[1] ?? 0));
    const pads = this.ints([...paddings.map(([before]) => before), ...paddings.map(([, after]) => after)]);
    return this.op("Pad", value === 0 ? [x, pads] : [x, pads, this.scalar(value, x.dtype)], shape, x.dtype);
  }

  concat(values: readonly Value[], axis: number): Value {
    const [first] = values;
    if (!first) throw new Error("nothing to concatenate");
    if (values.length === 1) return first;
    const total = values.reduce((sum, value) => sum + (value.shape[axis] ?? 0), 0);
    return this.op(
      "Concat",
      values,
      first.shape.map((size, i) => (i === axis ? total : size)),
      first.dtype,
      { axis },
    );
  }

  reduce(type: string, x: Value, axes: readonly number[], keep = false): Value {
    if (axes.length === 0) return x;
    const shape = keep ? x.shape.map((size, i) => (axes.includes(i) ? 1 : size)) : x.shape.filter((_, i) => !axes.includes(i));
    const keepdims = keep ? 1 : 0;
    if (type === "ReduceSum") return this.op(type, [x, this.ints(axes)], shape, x.dtype, { keepdims });
    return this.op(type, [x], shape, x.dtype, { axes, keepdims });
  }

  matmul(a: Value, b: Value): Value {
    const batch = broadcast(a.shape.slice(0, -2), b.shape.slice(0, -2));
    return this.op("MatMul", [a, b], [...batch, a.shape.at(-2) ?? 1, b.shape.at(-1) ?? 1], a.dtype);
  }

  /** Model bytes with `results` as its outputs O0, O1, …, the weights that it names, and how much the compiled graph will hold, in bytes. */
  encode(results: readonly Value[]): Encoded {
    const renamed = new Map<string, string>();
    const outputs = results.map((value, i) => {
      const name = `O${i}`;
      // A node's result becomes the output directly. Inputs, constants and values that already are an output need a copy.
      if (this.producers.has(value.name) && !renamed.has(value.name)) renamed.set(value.name, name);
      else this.nodes.push({ type: "Identity", inputs: [value.name], outputs: [name], attributes: {} });
      return { ...value, name };
    });
    const kept = wanted(this.nodes, [...renamed.keys(), ...outputs.map(({ name }) => name)]);
    const rename = (names: readonly string[]): string[] => names.map((name) => renamed.get(name) ?? name);
    const nodes = kept.map((node) => ({ ...node, inputs: rename(node.inputs), outputs: rename(node.outputs) }));
    const read = new Set(kept.flatMap(({ inputs }) => inputs));
    const initializers = [...this.initializers.values()]
      .filter(({ name }) => read.has(name))
      .map((item) => ({ ...item, isExternal: this.device === "cpu" && item.bytes.length >= externalBytes }));
    const model = encodeModel({ nodes, initializers, inputs: this.inputs, outputs });
    const weights = initializers.filter(({ isExternal }) => isExternal).map(({ name, bytes }) => ({ path: name, data: bytes }));
    return { model, weights, heldBytes: footprint(kept, this.sizes) };
  }
}

/** The nodes that the outputs need. Lowerings leave some that nothing reads, which onnxruntime would still compute. */
function wanted(nodes: readonly OnnxNode[], outputs: readonly string[]): OnnxNode[] {
  const names = new Set(outputs);
  const kept = nodes.toReversed().filter((node) => {
    const needed = node.outputs.some((name) => names.has(name));
    if (needed) for (const name of node.inputs) names.add(name);
    return needed;
  });
  return kept.reverse();
}
