import { type tf, tfl } from "../tf.ts";
import { activationOf, beforeActivation } from "./activation.ts";
import { alike, sampled, type UnitSampling } from "./unitSampling.ts";

/** One application of a layer within a network; a layer that is applied twice has two. */
export interface Unit {
  /** Unique: the layer's name, `#2`, `#3` … behind it from its second application on, `model/` before it within a nested model. */
  readonly name: string;
  readonly layer: tfl.layers.Layer;
  readonly inputs: readonly Unit[];
  /** Of its output, the batch first; null for any size. */
  readonly shape: readonly (number | null)[];
  /** Symbolic output; of a nested model, one of its outputs. */
  readonly output: tfl.SymbolicTensor;
  /** Of a nested model: the unit within it that gives that output. */
  readonly inner: Unit | undefined;
}
export interface Graph {
  readonly input: Unit;
  readonly output: Unit;
  /** The input, and all that leads from it to the output in network order; layers of a nested model come before the model. */
  readonly units: readonly Unit[];
}

/**
 * Computes a layer's output in place of the layer itself; undefined leaves it to the layer. Training puts seeded dropout in here.
 */
export type LayerOverride = (layer: tfl.layers.Layer, input: tf.Tensor) => tf.Tensor | undefined;

export interface GraphRun {
  readonly training?: boolean;
  /** In training mode: leaves the running averages of batch normalisation as they are. */
  readonly keepsAverages?: boolean;
  readonly override?: LayerOverride;
  /** Replaces the activation of a unit, given what it is applied to; undefined leaves it as it is. */
  readonly activation?: ((unit: Unit, before: tf.Tensor) => tf.Tensor | undefined) | undefined;
  /** The network's input, where that is needed and not known. */
  readonly input?: () => tf.Tensor;
  /** A unit whose value is given, and not computed. */
  readonly from?: { readonly unit: Unit; readonly value: tf.Tensor };
  /** Many passes of each image behind the first units that it changes. */
  readonly sampling?: UnitSampling;
}
/** Values that are known; evaluation adds its own. */
export type Values = Map<Unit, tf.Tensor>;

/** The only input and output of a classifier. */
export function endsOf(network: tfl.LayersModel): { input: tfl.SymbolicTensor; output: tfl.SymbolicTensor } {
  const [input] = network.inputs;
  const [output] = network.outputs;
  if (!input || !output) throw new Error("The network has no input or no output.");
  return { input, output };
}

const graphs = new WeakMap<tfl.LayersModel, Graph>();

/** A layers model of one input and one output with its nested models laid open. */
export function graphOf(network: tfl.LayersModel): Graph {
  const known = graphs.get(network);
  if (known) return known;
  const { input: tensor } = endsOf(network);
  const input: Draft = {
    name: "",
    layer: tensor.sourceLayer,
    inputs: [],
    shape: tensor.shape,
    output: tensor,
    inner: undefined,
    within: [],
  };
  const { own, outputs } = unfold(network, [input]);
  const units: Draft[] = [];
  nameAll([input, ...own], "", units);
  const graph = { input, output: outputs[0] as Unit, units };
  graphs.set(network, graph);
  return graph;
}

/** A unit that has no name yet, with the units of the nested model that it stands for. */
type Draft = { -readonly [K in keyof Unit]: Unit[K] } & { readonly within: readonly Draft[] };

/** Units of one model but for its inputs, which are given, in the order of its layers. */
function unfold(model: tfl.LayersModel, given: readonly Unit[]): { own: Draft[]; outputs: Unit[] } {
  const known = new Map<number, Unit>(model.inputs.map((input, i) => [input.id, given[i] ?? (given[0] as Unit)]));
  const own: Draft[] = [];
  const unitOf = ({ id }: tfl.SymbolicTensor): Unit => known.get(id) as Unit; // of a tensor that was met
  const met = { inputsOf: (tensor: tfl.SymbolicTensor) => tensor.inputs, isDone: ({ id }: tfl.SymbolicTensor) => known.has(id) };
  for (const output of model.outputs)
    inputsFirst(output, met, (tensor) => {
      const made = applied(tensor, tensor.inputs.map(unitOf));
      known.set(tensor.id, made);
      own.push(made);
    });
  const outputs = model.outputs.map(unitOf);
  const places = new Map(model.layers.map((layer, i) => [layer, i]));
  const place = ({ layer }: Draft): number => places.get(layer) ?? 0;
  return { own: inOrder(own.sort((a, b) => place(a) - place(b))), outputs };
}

/** The order given, but for a second application of a layer, which comes after what it is applied to. */
function inOrder(units: readonly Draft[]): Draft[] {
  const ordered = new Set<Unit>();
  const all = new Set<Unit>(units);
  const own = { inputsOf: ({ inputs }: Unit) => inputs, isDone: (unit: Unit) => ordered.has(unit) || !all.has(unit) };
  for (const unit of units) inputsFirst(unit, own, (one) => void ordered.add(one));
  return [...ordered] as Draft[];
}

interface Walk<T> {
  readonly inputsOf: (one: T) => readonly T[];
  readonly isDone: (one: T) => boolean;
}

/** Does what a thing is made of, then the thing itself; `work` makes it done. A network may be thousands of layers deep: no recursion. */
function inputsFirst<T>(start: T, { inputsOf, isDone }: Walk<T>, work: (one: T) => void): void {
  const waiting = [start];
  for (let next = waiting.at(-1); next !== undefined; next = waiting.at(-1)) {
    const missing = isDone(next) ? [] : inputsOf(next).filter((input) => !isDone(input));
    if (missing.length > 0) waiting.push(...missing.reverse());
    else {
      if (!isDone(next)) work(next);
      waiting.pop();
    }
  }
}

function applied(tensor: tfl.SymbolicTensor, inputs: readonly Unit[]): Draft {
  const layer = tensor.sourceLayer;
  const common = { name: "", layer, inputs, output: tensor };
  if (!(layer instanceof tfl.LayersModel)) return { ...common, shape: shapeOf(tensor, inputs), inner: undefined, within: [] };
  const { own, outputs } = unfold(layer, inputs);
  const inner = outputs[tensor.outputTensorIndex ?? 0] as Unit;
  return { ...common, shape: inner.shape, inner, within: own };
}

/** What tfjs says, or, within a nested model that takes any size, what follows from the sizes it gets here. */
function shapeOf(tensor: tfl.SymbolicTensor, inputs: readonly Unit[]): readonly (number | null)[] {
  if (tensor.shape.slice(1).every((side) => side !== null) || inputs.length === 0) return tensor.shape;
  const shapes = inputs.map(({ shape }) => [...shape]);
  const found = tensor.sourceLayer.computeOutputShape(shapes.length === 1 ? (shapes[0] as number[]) : (shapes as number[][]));
  return (Array.isArray(found[0]) ? found[tensor.outputTensorIndex ?? 0] : found) as (number | null)[];
}

function nameAll(units: readonly Draft[], prefix: string, all: Draft[], taken = new Map<string, number>()): void {
  for (const unit of units) {
    const name = `${prefix}${unit.layer.name}`;
    const count = (taken.get(name) ?? 0) + 1;
    taken.set(name, count);
    unit.name = count === 1 ? name : `${name}#${count}`;
    nameAll(unit.within, `${unit.name}/`, all, taken);
    all.push(unit);
  }
}

/**
 * Value of a unit, from values that are known: the network's input, or those to run from. Differentiable; call inside a tidy. tfjs-layers
 * itself can only start from a model's inputs.
 */
export function evaluate(unit: Unit, values: Values, run: GraphRun = {}): tf.Tensor {
  const isGiven = (one: Unit): boolean => run.from?.unit === one;
  const inputsOf = (one: Unit): readonly Unit[] => (isGiven(one) ? [] : one.inner ? [one.inner] : one.inputs);
  inputsFirst(unit, { inputsOf, isDone: (one) => values.has(one) }, (one) => {
    const value = isGiven(one) ? run.from?.value : one.inner ? values.get(one.inner) : apply(one, values, run);
    values.set(one, run.sampling ? sampled(one, value as tf.Tensor, run.sampling) : (value as tf.Tensor));
  });
  return values.get(unit) as tf.Tensor;
}

function apply(unit: Unit, values: Values, run: GraphRun): tf.Tensor {
  const { layer, output } = unit;
  if (unit.inputs.length === 0 && run.input) return run.input();
  const known = unit.inputs.map((input) => values.get(input) as tf.Tensor);
  const inputs = run.sampling ? alike(unit, known, run.sampling) : known;
  const [first] = inputs;
  if (!first) throw new Error(`Layer ${unit.name} has no input, and its value is not known.`);
  const replaced = inputs.length === 1 ? run.override?.(layer, first) : undefined;
  if (replaced) return replaced;
  const computed = (): tf.Tensor => {
    const given = { ...output.callArgs, training: run.training === true, ...(run.keepsAverages ? { keepsAverages: true } : {}) };
    const outputs = [layer.apply(inputs.length === 1 ? first : inputs, given)].flat() as tf.Tensor[];
    const value = outputs[output.outputTensorIndex ?? 0];
    if (!value) throw new Error(`Layer ${unit.name} has no output ${output.outputTensorIndex ?? 0}.`);
    return value;
  };
  if (!run.activation || activationOf(layer) === null) return computed();
  const { before, activate } = beforeActivation(layer, first, computed);
  return run.activation(unit, before) ?? activate(before);
}

/** Output of the whole network for `x`. */
export function runNetwork(network: tfl.LayersModel, x: tf.Tensor, run: GraphRun = {}): tf.Tensor {
  const { input, output } = graphOf(network);
  return evaluate(output, new Map([[input, x]]), run);
}
