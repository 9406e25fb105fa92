import { openFile, sha256 } from "../../io/files.ts";
import type { tfl } from "../../tf.ts";
import { builtFrom, setWeight } from "../build.ts";
import { firstNonFinite, notFinite } from "../finite.ts";
import type { ModelFile, Reading } from "../modelFile.ts";
import { countOf, numbersIn } from "../strided.ts";
import { normalise } from "../topology/index.ts";
import { matchWeights } from "../topology/weights.ts";
import { type KerasArchive, openArchive } from "./archive.ts";
import type { KerasContent, KerasWeight } from "./content.ts";
import { converted } from "./convert.ts";
import { Hdf5File } from "./hdf5/file.ts";
import { legacyContent } from "./legacy.ts";
import { archiveWeights } from "./paths.ts";

/**
 * Opens a whole model saved by Keras: `.h5` of any version, or a `.keras` archive. Weights are read only when the network is built.
 * @throws MODEL_INVALID, MODEL_UNSAFE, MODEL_UNSUPPORTED, MODEL_TOO_LARGE, FILE_UNREADABLE
 */
export async function openKeras(file: string): Promise<ModelFile> {
  const handle = await openFile(file);
  let archive: KerasArchive | undefined;
  let store: Hdf5File | undefined;
  const close = async (): Promise<void> => {
    await store?.close();
    await archive?.close();
    await handle.close();
  };
  try {
    const { buffer } = await handle.read(Buffer.alloc(2), 0, 2, 0);
    if (buffer.toString("latin1") === "PK") archive = await openArchive(handle, file);
    store = await Hdf5File.open(archive?.weights ?? { name: file, fd: handle.fd, offset: 0, size: (await handle.stat()).size });
    const content = contentOf(archive, store, file);
    return modelFile(content, store, file, close);
  } catch (error) {
    await close();
    throw error;
  }
}

function contentOf(archive: KerasArchive | undefined, { tree }: Hdf5File, file: string): KerasContent {
  if (!archive) return legacyContent(tree, file);
  const { model, version } = archive;
  return { model, version, weights: archiveWeights(model, tree) };
}

function modelFile({ model, version, weights }: KerasContent, store: Hdf5File, file: string, close: () => Promise<void>): ModelFile {
  return {
    format: "keras",
    metadata: undefined,
    sha256: () => sha256(file),
    normalise: (contract, size) => normalise({ ...model, keras_version: version }, weights, contract, { file, size, isChannelsLast: true }),
    build: (topology, reading) =>
      builtFrom(topology, numbersIn(weights), file, (network) => setWeights({ network, weights, store, file }, reading)),
    close,
  };
}

interface Target {
  readonly network: tfl.LayersModel;
  readonly weights: readonly KerasWeight[];
  readonly store: Hdf5File;
  readonly file: string;
}

/** Variables of the layers that are wanted. */
function variablesOf({ layers }: tfl.LayersModel, wants: Reading["wants"]): Set<string> {
  return new Set(
    layers.filter((layer) => !wants || wants(layer.getClassName())).flatMap((layer) => layer.weights.map((v) => v.originalName)),
  );
}

async function setWeights({ network, weights, store, file }: Target, { wants, watch }: Reading = {}): Promise<void> {
  const variables = new Map(network.weights.map((variable) => [variable.originalName, variable]));
  const expected = [...variables].map(([name, { shape }]) => ({ name, shape: shape as number[] }));
  const names = matchWeights(expected, weights, file);
  const wanted = variablesOf(network, wants);
  const all = numbersIn(weights);
  let done = 0;
  for (const [i, weight] of weights.entries()) {
    const name = names[i] ?? "";
    const variable = wanted.has(name) ? variables.get(name) : undefined;
    if (variable) setWeight(variable, await numbersOf(weight, store, file));
    done += countOf(weight.shape);
    await watch?.({ stage: "weights", share: done / all });
  }
}

/** @throws MODEL_NAN naming the weight */
async function numbersOf(weight: KerasWeight, store: Hdf5File, file: string): Promise<Float32Array> {
  const numbers = await store.read(weight.dataset);
  const wrong = firstNonFinite(numbers);
  if (wrong >= 0) throw notFinite(`The weight ${weight.name} of ${file} is`, wrong);
  return converted(numbers, weight);
}
