import type { InputContract } from "../../shared/contract.ts";
import { BulwarkError } from "../../shared/errors.ts";
import { count } from "../../shared/format.ts";
import { tensorOver } from "../backends/index.ts";
import { OpaqueAlpha, TwoClasses } from "../models/layers/index.ts"; // registers the layers that tfjs lacks
import { tf, tfl } from "../tf.ts";
import { type Artifacts, byteLength, type Header, readSome, specsOf, toHandler } from "./artifacts.ts";
import { checkFinite } from "./finite.ts";
import type { ModelFile, Reading } from "./modelFile.ts";
import { countOf, numbersIn } from "./strided.ts";
import { checkDepth, tooDeep } from "./topology/depth.ts";
import type { Ending } from "./topology/ending.ts";
import type { Config, Topology } from "./topology/graph.ts";
import type { Normalised } from "./topology/index.ts";
import { areNamedByLayer, matchWeights, type NamedShape } from "./topology/weights.ts";
import { toModelConfig } from "./topology/write.ts";

/** Initial weights, which are replaced at once: a backend that records what it is to compute never makes these. */
const blank = {
  apply: (shape: readonly number[], dtype: tf.DataType = "float32"): tf.Tensor => tf.fill([...shape], 0, dtype as "float32"),
};

/** What tfjs' layers make their weights by. */
interface Weighted {
  addWeight(name: string, shape: number[], dtype?: tf.DataType, initializer?: unknown, ...rest: unknown[]): tfl.LayerVariable;
}
/** Numbers beyond twice those of the file that weights may hold: some are no weights of the file, such as what an adapted input adds. */
const few = 1 << 20;

/**
 * Has the layers that `make` builds begin with blank weights, whatever they say: random ones, and an orthogonal matrix before all, would take long.
 * A shape that the file has no numbers for is refused before there is memory for it. Calls wait for each other: they change what all layers share.
 * @throws MODEL_INVALID
 */
function withBlanks<T>(make: () => Promise<T>, stored: number, file: string): Promise<T> {
  const made = inTurn.then(() => blanked(make, stored, file));
  inTurn = made.catch(() => undefined);
  return made;
}
let inTurn: Promise<unknown> = Promise.resolve();

async function blanked<T>(make: () => Promise<T>, stored: number, file: string): Promise<T> {
  const layers = tfl.layers.Layer.prototype as unknown as Weighted;
  const { addWeight } = layers;
  let needed = 0;
  layers.addWeight = function (this: Weighted, name, shape, dtype, _, ...rest) {
    needed += countOf(shape);
    if (needed > 2 * stored + few)
      throw new BulwarkError(
        "MODEL_INVALID",
        `${file} has layers that need more than ${count(needed)} numbers as weights, and stores ${count(stored)}.`,
        "Export the model with its weights again.",
      );
    return addWeight.call(this, name, shape, dtype, blank, ...rest);
  };
  try {
    return await make();
  } finally {
    layers.addWeight = addWeight;
  }
}

/** Initializers that a layer keeps for training from scratch; tfjs does not export the type. */
interface Initialised {
  kernelInitializer?: unknown;
  depthwiseInitializer?: unknown;
  pointwiseInitializer?: unknown;
}

/**
 * The network of a topology, with the weights that `setWeights` assigns. Until then they are blank.
 * @param stored how many numbers the file holds as weights
 * @throws MODEL_INVALID, MODEL_TOO_LARGE, and what `setWeights` throws
 */
export async function builtFrom(
  topology: Topology,
  stored: number,
  file: string,
  setWeights: (network: tfl.LayersModel) => void | Promise<void>,
): Promise<tfl.LayersModel> {
  const network = await blankNetwork(topology, stored, file);
  try {
    await setWeights(network);
  } catch (error) {
    network.dispose();
    throw error;
  }
  return network;
}

/** Assigns values, which the caller gives up, to a weight of a network. */
export function setWeight(variable: tfl.LayerVariable, numbers: Float32Array): void {
  const value = tensorOver(numbers, variable.shape as number[]);
  variable.write(value);
  value.dispose();
}

async function blankNetwork(topology: Topology, stored: number, file: string): Promise<tfl.LayersModel> {
  checkDepth(topology, file);
  const network = await withBlanks(() => load(toModelConfig(topology), undefined, file), stored, file);
  for (const layer of network.layers as (tfl.layers.Layer & Initialised)[]) {
    if (layer.kernelInitializer) layer.kernelInitializer = tfl.initializers.glorotNormal({});
    if (layer.depthwiseInitializer) layer.depthwiseInitializer = tfl.initializers.glorotNormal({});
    if (layer.pointwiseInitializer) layer.pointwiseInitializer = tfl.initializers.glorotNormal({});
  }
  return network;
}

type Stored = Pick<Artifacts, "specs" | "weights">;

/**
 * The network of a topology with the weights of the file. Weights that are not named by their layers are matched with the network first.
 * @throws MODEL_INVALID
 */
export async function buildNetwork(topology: Topology, artifacts: Artifacts, file: string): Promise<tfl.LayersModel> {
  checkDepth(topology, file);
  const config = toModelConfig(topology);
  const stored = areNamedByLayer(artifacts.specs, topology) ? artifacts : await renamed(config, artifacts, file);
  return withBlanks(() => load(config, stored, file), numbersIn(stored.specs), file);
}

/**
 * The network of a topology with the weights of some layers alone, by class; all others are 0.
 * @throws MODEL_INVALID where weights are missing, MODEL_NAN
 */
export function outlineNetwork(
  topology: Topology,
  header: Header,
  file: string,
  wants: (className: string) => boolean,
): Promise<tfl.LayersModel> {
  return builtFrom(topology, numbersIn(specsOf(header)), file, async (network) => {
    const variables = network.layers.flatMap((layer) =>
      layer.weights.map((variable) => ({ variable, isWanted: wants(layer.getClassName()) })),
    );
    const expected = variables.map(({ variable: { originalName: name, shape } }) => ({ name, shape: shape as number[] }));
    const stored = specsOf(header);
    const names = areNamedByLayer(stored, topology) ? stored.map(({ name }) => name) : matchWeights(expected, stored, file);
    const targets = new Map(stored.map((spec, i) => [spec, variables.find(({ variable }) => variable.originalName === names[i])]));
    const some = await readSome(header, (spec) => targets.get(spec)?.isWanted === true);
    checkFinite(some, file);
    const tensors = tf.io.decodeWeights(some.weights.buffer, some.specs as tf.io.WeightsManifestEntry[]);
    for (const spec of some.specs) {
      const value = tensors[spec.name] as tf.Tensor;
      targets.get(spec)?.variable.write(value);
      value.dispose();
    }
  });
}

/**
 * The network that gives scores. A softmax over groups of scores, not over all classes, stays: without it another class could come first.
 * Its outputs are then the scores, and they are bounded. @throws MODEL_INVALID
 */
export async function buildScores(
  { whole, topology, ending }: Pick<Normalised, "whole" | "topology" | "ending">,
  build: ModelFile["build"],
  reading?: Reading,
): Promise<{ readonly network: tfl.LayersModel; readonly ending: Ending }> {
  const network = await build(topology, reading);
  if (ending.kind !== "softmax") return { network, ending };
  const summed = outputShape(network.getLayer(ending.layer)).at(ending.axis) ?? null;
  const scores = network.outputs[0]?.shape.at(-1) ?? null;
  if (summed === scores) return { network, ending };
  const grouped: Ending = { ...ending, kind: "bounded", removed: false, activation: `a softmax over ${summed} of its ${scores} scores` };
  if (!ending.removed) return { network, ending: grouped };
  network.dispose();
  return { network: await build(whole, reading), ending: grouped };
}

/** Of the first output of a layer's first application. */
export function outputShape(layer: tfl.layers.Layer): readonly (number | null)[] {
  const shape = layer.inboundNodes[0]?.outputShapes ?? [];
  const [first] = shape;
  return Array.isArray(first) ? first : (shape as (number | null)[]);
}

async function load(config: Config, stored: Stored | undefined, file: string): Promise<tfl.LayersModel> {
  try {
    return await freedOnFailure(() => tfl.loadLayersModel(toHandler(config, stored)));
  } catch (error) {
    if (error instanceof BulwarkError) throw error;
    if (error instanceof RangeError && error.message.includes("call stack")) throw tooDeep(file);
    const detail = error instanceof Error ? error.message : String(error);
    const reason = detail.split("\n")[0]?.slice(0, 160).replace(/\.$/, "");
    throw new BulwarkError(
      "MODEL_INVALID",
      `${file} cannot be built: ${reason}.`,
      "Check how the model was converted, or export it again from the program that made it.",
      { cause: error, detail },
    );
  }
}

/**
 * Frees what `make` made if it fails: tfjs keeps the weights of layers that never became a network, and those that it has read for them.
 * Calls must not overlap, which `withBlanks` sees to.
 */
async function freedOnFailure<T>(make: () => Promise<T>): Promise<T> {
  const { state } = tf.engine();
  const known = new Set(Object.keys(state.registeredVariables));
  tf.engine().startScope("load");
  const scope = state.activeScope;
  try {
    const made = await make();
    tf.engine().endScope([...scope.track]);
    return made;
  } catch (error) {
    tf.engine().endScope();
    for (const [name, variable] of Object.entries(state.registeredVariables)) if (!known.has(name)) variable.dispose();
    throw error;
  }
}

/** The stored weights under the names that the network has for them; those that it does not use are left out. */
async function renamed(config: Config, { specs, weights }: Stored, file: string): Promise<Stored> {
  const shell = await withBlanks(() => load(config, undefined, file), numbersIn(specs), file);
  const expected = shell.weights.map(({ originalName: name, shape }): NamedShape => ({ name, shape: shape as number[] }));
  shell.dispose();
  const names = matchWeights(expected, specs, file);
  let end = 0;
  const used = specs.flatMap((spec, i) => {
    const start = end;
    end += byteLength(spec);
    const name = names[i];
    return name === undefined ? [] : [{ spec: { ...spec, name }, bytes: weights.subarray(start, end) }];
  });
  const data = new Uint8Array(used.reduce((sum, { bytes }) => sum + bytes.length, 0));
  used.reduce((offset, { bytes }) => {
    data.set(bytes, offset);
    return offset + bytes.length;
  }, 0);
  return { specs: used.map(({ spec }) => spec), weights: data };
}

/** A network with the logit of the second of two classes as one with the scores of both. It owns the layers of `network`. */
export function withTwoClasses(network: tfl.LayersModel): tfl.LayersModel {
  const scores = new TwoClasses({ name: "two_classes" }).apply(network.outputs) as tfl.SymbolicTensor;
  return tfl.model({ name: network.name, inputs: network.inputs, outputs: scores });
}

/** Alpha 255 as the contract in force scales bytes: what is known of the range may have come to light after the network was built. */
export function makeOpaque(network: tfl.LayersModel, { input: { mean = 0, scale = 255 } }: InputContract): void {
  const average = (values: number | readonly number[]): number =>
    [values].flat().reduce((sum, value, _, all) => sum + value / all.length, 0);
  for (const layer of network.layers) if (layer instanceof OpaqueAlpha) layer.alpha = (255 - average(mean)) / average(scale);
}
