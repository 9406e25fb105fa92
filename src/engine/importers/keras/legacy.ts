import path from "node:path";
import { BulwarkError } from "../../../shared/errors.ts";
import { kerasSnippet } from "../../../shared/modelFormats.ts";
import { invalidModel } from "../topology/graph.ts";
import { type KerasContent, type KerasWeight, type ListedLayer, listedLayers } from "./content.ts";
import type { StoredDataset, Tree } from "./hdf5/file.ts";
import { parsedObject } from "./json.ts";
import { kindOf, kindsOf } from "./kinds.ts";

const weightsGroup = "/model_weights";
const mostParts = 10_000;

/**
 * Content of a whole model saved as `.h5` by Keras 1 to 3.
 * @throws MODEL_INVALID for a file with weights only, or one that is not from Keras
 */
export function legacyContent({ attributes, datasets, groups }: Tree, file: string): KerasContent {
  const text = one(attributes[""]?.["model_config"]);
  if (text === undefined) {
    const isKeras =
      groups.some((group) => /^\/(layers|_layer_checkpoint_dependencies)$/.test(group)) || listOf("layer_names", attributes[""]);
    if (isKeras) throw weightsOnly(file);
    throw invalidModel(file, "is an HDF5 file without a Keras model", 'Save the model from Keras: model.save("model.keras").');
  }
  const model = parsedObject(text, `The model_config of ${file}`);
  const about = { ...attributes[weightsGroup], ...attributes[""] };
  const version = one(about["keras_version"]);
  const byPath = new Map(datasets.map((dataset) => [dataset.path, dataset]));
  const layers = new Map(listedLayers(model).map((layer) => [layer.name, layer]));
  const convert = conversion(one(about["backend"]));
  const names = once(listOf("layer_names", attributes[weightsGroup]) ?? [], "the layer", file);
  const weights = names.flatMap((name) => {
    const group = `${weightsGroup}/${name}`;
    const listed = once(listOf("weight_names", attributes[group]) ?? [], "the weights", file);
    const stored = listed.map((weight) => ({ weight, dataset: byPath.get(`${group}/${weight}`) }));
    const lost = stored.find(({ dataset }) => !dataset);
    if (lost) throw invalidModel(file, `lists the weights "${lost.weight}" of its layer "${name}" and does not hold them`);
    return named(name, stored as Stored[], layers.get(name)).map((weight) => convert(weight, layers.get(name)));
  });
  return { model, version, weights };
}

/** For a file from `save_weights`, or the weights taken out of a `.keras` archive. */
const weightsOnly = (file: string): BulwarkError =>
  new BulwarkError("MODEL_INVALID", `${file} holds weights only.`, 'Save the whole model: model.save("model.keras").', {
    snippet: kerasSnippet(path.basename(file)),
  });

interface Stored {
  readonly weight: string;
  readonly dataset: StoredDataset;
}

/** A list without repetitions: a short one that names one thing again and again would stand for any number of weights. @throws MODEL_INVALID */
function once(names: readonly string[], what: string, file: string): readonly string[] {
  const known = new Set<string>();
  for (const name of names) {
    if (known.has(name)) throw invalidModel(file, `lists ${what} "${name.slice(0, 80)}" twice`);
    known.add(name);
  }
  return names;
}

/**
 * The weights of a layer under their names in the network. In a nested model a weight is found by the last two parts of its name: layer and
 * weight.
 */
function named(name: string, stored: readonly Stored[], layer: ListedLayer | undefined): KerasWeight[] {
  const plain = (weight: string): string => weight.replace(/:\d+$/, "");
  const as = (kind: string, { dataset }: Stored): KerasWeight => ({ name: `${name}/${kind}`, shape: dataset.shape, dataset });
  if (!layer || layer.layers || /^(Bidirectional|TimeDistributed)$/.test(layer.className))
    return stored.map((one) => {
      const kind = kindOf(one.weight) ?? plain(one.weight).split("/").at(-1);
      const within = plain(one.weight).split("/").slice(0, -1);
      return as([...within, kind].join("/"), one);
    });
  const kinds = stored.map(({ weight }) => kindOf(weight));
  const isByName = kinds.every((kind) => kind !== undefined) && new Set(kinds).size === kinds.length;
  const ordered = kindsOf(layer.className, layer.config);
  return stored.map((one, i) => as((isByName ? kinds[i] : ordered[i]) ?? plain(one.weight), one));
}

/** Classes whose kernels Theano flips. */
const turned = /^(Conv[123]D|Convolution[12]D|AtrousConvolution2D|Conv2DTranspose|Deconvolution2D)$/;

/** Converts kernels of other backends and of Keras 1 to TensorFlow's: [kh,kw,in,out], not flipped. */
function conversion(backend: string | undefined) {
  const byName = (layer: ListedLayer, inner: string | undefined): ListedLayer | undefined =>
    layer.layers?.find(({ name }) => name === inner) ?? layer.layers?.map((one) => byName(one, inner)).find((one) => one !== undefined);
  return (weight: KerasWeight, outer: ListedLayer | undefined): KerasWeight => {
    const [kind, inner] = weight.name.split("/").reverse();
    const layer = outer?.layers ? byName(outer, inner) : outer;
    if (kind !== "kernel" || !layer || !turned.test(layer.className) || weight.shape.length !== 4) return weight;
    const axes = layer.config["dim_ordering"] === "th" ? { axes: [2, 3, 1, 0] } : {}; // [out,in,kh,kw] of Keras 1
    const shape = axes.axes?.map((axis) => weight.shape[axis] as number) ?? weight.shape;
    return { ...weight, shape, ...axes, ...(backend === "theano" && { isTurned: true }) };
  };
}

/** A list, which may be split over attributes numbered from 0: HDF5 allows 64 kB in each. Undefined if absent. */
function listOf(name: string, attributes: Tree["attributes"][string] | undefined): readonly string[] | undefined {
  const whole = attributes?.[name];
  if (whole !== undefined) return [whole].flat();
  const parts: string[] = [];
  for (let i = 0; i < mostParts; i++) {
    const part = attributes?.[`${name}${i}`];
    if (part === undefined) return i === 0 ? undefined : parts;
    parts.push(...[part].flat());
  }
  return parts;
}

/** A string, which some programs write as a list of one. */
const one = (value: string | string[] | undefined): string | undefined => [value].flat()[0];
