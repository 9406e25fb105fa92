import path from "node:path";
import type { InputContract } from "../../shared/contract.ts";
import { BulwarkError } from "../../shared/errors.ts";
import type { ForwardOnly } from "../classifier/forwardOnly.ts";
import { releaseSignals } from "../io/signals.ts";
import { FakeQuantize, OpaqueAlpha } from "../models/layers/index.ts"; // registers the layers that tfjs lacks
import type { ModelEvidence } from "../rules/evidence.ts";
import type { tfl } from "../tf.ts";
import { requireAsTrained } from "./asTrained.ts";
import { buildScores, makeOpaque, withTwoClasses } from "./build.ts";
import { checkContract, checkLayout, parseContract, readContract } from "./contract.ts";
import { tellsByWeights } from "./evidence/firstLayer.ts";
import { knowledgeOf, type ModelFacts, type ModelKnowledge } from "./evidence/index.ts";
import { sidecarEvidence } from "./evidence/sidecars.ts";
import { formatOf } from "./format.ts";
import { openKeras } from "./keras/index.ts";
import { contractFile, locateModel } from "./locate.ts";
import type { Checked, Compare, Comparison, ModelFile, Reading, Watch } from "./modelFile.ts";
import { openOnnx } from "./onnx/index.ts";
import { outputsByValue } from "./outputs.ts";
import { openTfjs } from "./tfjsFile.ts";
import type { Ending } from "./topology/ending.ts";

export { parseContract } from "./contract.ts";
export { locateModel } from "./locate.ts";
export { saveNetwork } from "./save.ts";

/** A network as its file describes it. */
export interface OutlinedNetwork extends Pick<ModelKnowledge, "contract" | "contractSource" | "classes"> {
  /** The caller disposes. */
  readonly network: tfl.LayersModel;
  readonly format: string;
  /** The `model.json`, the ONNX file or the Keras file. */
  readonly file: string;
  readonly outputs: "logits" | "probabilities";
  /** What rules about a model look at. */
  readonly evidence: ModelEvidence;
  /** Each score had its own sigmoid, which was removed: classes are not mutually exclusive. */
  readonly isMultiLabel: boolean;
  /** Why the network gives scores only; absent for one that can be differentiated. */
  readonly forwardOnly?: ForwardOnly | undefined;
  /** Harmless things done while loading, for the user to know. */
  readonly notes: readonly string[];
}
export interface LoadedNetwork extends OutlinedNetwork {
  /** Of the file and its weights. */
  readonly sha256: string;
  /** Null where no other program runs files of this format. */
  readonly comparison: Comparison | null;
}

export interface LoadOptions extends Pick<ModelFacts, "isUnnamed"> {
  readonly watch?: Watch | undefined;
}

/** Opens a located model file. The caller closes it. */
const openFile = async (file: string): Promise<ModelFile> => openers[await formatOf(file)](file);
const openers = { tfjs: openTfjs, onnx: openOnnx, keras: openKeras } as const;

/** SHA-256 of a model file and its weights, in hexadecimal. Takes the paths that `loadNetwork` takes, and throws what it throws when opening them. */
export async function hashOfModel(path: string): Promise<string> {
  const model = await openFile(await locateModel(path));
  try {
    return await model.sha256();
  } finally {
    await model.close();
  }
}

/**
 * Loads a TensorFlow.js model, an ONNX file or a Keras file with its input contract. Other knowledge about the model completes the
 * contract. A final softmax is removed where possible; otherwise `outputs` is "probabilities" (RB102).
 * @param path `model.json`, an ONNX or Keras file, a folder that holds one of them, or a run folder.
 * @param given replaces the contract beside the model, except for the model's own defences and the images they take.
 * @param o `isUnnamed`: no class names are looked for, so none can be wrong; `watch`: called on the way, and may throw to stop
 * @throws FILE_NOT_FOUND, FILE_UNREADABLE, MODEL_INVALID (half a file, no classifier, contract that does not fit), MODEL_NAN
 */
export async function loadNetwork(path: string, given?: InputContract, o: LoadOptions = {}): Promise<LoadedNetwork> {
  const file = await locateModel(path);
  const model = await openFile(file);
  const opening = { file, given, isUnnamed: o.isUnnamed };
  const restore = model.isLarge ? releaseSignals() : undefined; // each step of it takes seconds
  try {
    const before = model.isLarge ? await checkedFirst(model, opening, o.watch) : undefined;
    const { built, ending, ...loaded } = await opened(model, { ...opening, reading: { watch: o.watch } });
    try {
      const compare = before ?? (await model.check?.(checkedOf(built, { ...loaded, ending }), o.watch));
      const comparison = (await compare?.(built)) ?? null;
      const sha256 = await model.sha256();
      await requireAsTrained(file, sha256);
      return {
        ...(await withOutputs(loaded, ending)),
        comparison,
        notes: [...loaded.notes, ...(comparison?.notes ?? [])],
        sha256,
      };
    } catch (error) {
      loaded.network.dispose();
      throw error;
    }
  } finally {
    restore?.();
    await model.close();
  }
}

/** Hidden softmaxes show in the values alone: weights are there now. Networks of Bulwark's own training give logits. */
async function withOutputs<T extends OutlinedNetwork>(loaded: T, ending: Ending): Promise<T> {
  const { network, contract, evidence } = loaded;
  if (ending.kind !== "none" || contract.output?.kind !== undefined || contract.defense) return loaded;
  const byValue = await outputsByValue(network, contract);
  if (!byValue) return loaded;
  const outputs = byValue.kind === "all" ? "probabilities" : loaded.outputs;
  return { ...loaded, outputs, evidence: { ...evidence, outputs, byValue } };
}

/** What ONNX Runtime makes of the file, asked for while no weights are in memory. */
async function checkedFirst(model: ModelFile, opening: Omit<Opening, "reading">, watch?: Watch): Promise<Compare | undefined> {
  if (!model.check) return undefined;
  const { built, network, ...outlined } = await opened(model, { ...opening, reading: { wants: tellsByWeights } });
  const known = checkedOf(built, outlined);
  network.dispose();
  return model.check(known, watch);
}

/** What a comparison has to know of a network. */
export function checkedOf({ inputs, layers }: tfl.LayersModel, { contract, ending }: Pick<Opened, "contract" | "ending">): Checked {
  const sides = shapeOf(inputs[0]).slice(1) as [number, number, number];
  return { contract, ending, sides, alpha: layers.find((layer): layer is OpaqueAlpha => layer instanceof OpaqueAlpha)?.alpha };
}

/**
 * The same network with blank weights: those alone are read that tell how images are taken, and no score of it means anything.
 * @throws as `loadNetwork`, except what only weights and scores show
 */
export async function outlineNetwork(path: string, given?: InputContract): Promise<OutlinedNetwork> {
  const file = await locateModel(path);
  const model = await openFile(file);
  try {
    const { built: _, ending: __, ...outlined } = await opened(model, { file, given, reading: { wants: tellsByWeights } });
    return outlined;
  } finally {
    await model.close();
  }
}

interface Opening extends Pick<ModelFacts, "isUnnamed"> {
  readonly file: string;
  readonly given: InputContract | undefined;
  readonly reading: Reading;
}
/** `built` is the network before its output was made one of two classes. */
type Opened = OutlinedNetwork & { readonly built: tfl.LayersModel; readonly ending: Ending };

async function opened(model: ModelFile, { file, given, isUnnamed, reading }: Opening): Promise<Opened> {
  const stored = await readContract(contractFile(file));
  const inForce = given ? replaced(stored, parseContract(given, "the input contract")) : stored;
  const sidecars = await sidecarEvidence(file, model.metadata);
  const size = sidecars.evidence.find(({ input }) => input.size)?.input.size;
  const normalised = model.normalise(inForce, size);
  const { contract, notes, forwardOnly } = normalised;
  if (contract.forwardOnly && !forwardOnly)
    throw new BulwarkError(
      "MODEL_INVALID",
      `${file} is no ONNX file, so ONNX Runtime cannot run it as it is.`,
      'Remove "forwardOnly" from its input contract.',
    );
  const { network: built, ending } = await buildScores(normalised, model.build, reading);
  const network = isBinary(built, ending, contract) ? withTwoClasses(built) : built;
  try {
    checkClassifier(network, contract, file);
    const facts = { file, network, sidecars, own: model.evidence?.(), isGiven: given !== undefined, isUnnamed };
    const { contradiction, notes: passedOver, ...known } = await knowledgeOf(contract, facts);
    if (contract.input.mean === inForce.input.mean && contract.input.scale === inForce.input.scale) makeOpaque(network, known.contract);
    const isTwoClasses = network !== built;
    const evidence: ModelEvidence = {
      ...outputsOf(ending, contract),
      contractFile: path.basename(contractFile(file)),
      contractSource: known.contractSource,
      contradiction,
      forwardOnly: forwardOnly?.reason ?? null,
      quantisers: network.layers.filter((layer) => layer instanceof FakeQuantize).length,
    };
    return {
      built,
      ending,
      network,
      ...known,
      format: model.format,
      file,
      outputs: evidence.outputs,
      isMultiLabel: ending.kind === "sigmoid" && ending.removed && !isTwoClasses,
      evidence,
      forwardOnly,
      notes: [...notes, ...notesOf(ending, isTwoClasses), ...passedOver],
    };
  } catch (error) {
    network.dispose();
    throw error;
  }
}

/** One output that tells two classes apart: a sigmoid's, or scores whose contract says so. */
function isBinary(network: tfl.LayersModel, ending: Ending, { output }: InputContract): boolean {
  const shape = shapeOf(network.outputs[0]);
  if (network.outputs.length !== 1 || shape.length !== 2 || shape[1] !== 1) return false;
  if (ending.kind === "sigmoid") return ending.removed;
  return ending.kind === "none" && (output?.kind === "logits" || output?.classes?.length === 2);
}

/** A volumized network does not show the size of its images: where the new contract does not name it either, the stored one does. */
function replaced({ defense, input: { size, channels } }: InputContract, given: InputContract): InputContract {
  if (!defense) return given;
  return { defense, ...given, input: { ...(size && { size }), ...(channels && { channels }), ...given.input } };
}

function outputsOf(ending: Ending, contract: InputContract): Pick<ModelEvidence, "outputs" | "bounded"> {
  const isKnown = ending.kind === "softmax" || ending.kind === "sigmoid";
  const isProbabilities = isKnown ? !ending.removed : contract.output?.kind === "probabilities";
  const bounded = ending.kind === "bounded" ? ending.activation : null;
  return { outputs: isProbabilities ? "probabilities" : "logits", bounded };
}

function notesOf({ kind, removed }: Ending, isTwoClasses: boolean): string[] {
  const off = removed ? [`the final ${kind} is taken off: attacks use the scores before it`] : [];
  return isTwoClasses ? [...off, "the single output z becomes two classes with the scores 0 and z"] : off;
}

/**
 * One input that is an image, one output with a score for each of at least two classes. Of models with a training defence only the layout is
 * checked: a volumized network has another shape.
 */
function checkClassifier(network: tfl.LayersModel, contract: InputContract, file: string): void {
  const bad = (what: string, fix = "Use an image classifier with one input and one output.") =>
    new BulwarkError("MODEL_INVALID", `${file} ${what}.`, fix);
  if (network.inputs.length !== 1 || network.outputs.length !== 1)
    throw bad(`has ${network.inputs.length} inputs and ${network.outputs.length} outputs`);
  if (contract.defense) {
    checkLayout(shapeOf(network.inputs[0]).slice(1), contract, file);
    return;
  }
  const output = shapeOf(network.outputs[0]);
  if (output.length !== 2) throw bad(`gives [${output.join(", ")}] for an image, not one score for each class`);
  const classes = output[1];
  if (typeof classes === "number" && classes < 2)
    throw bad(
      "has a single output; at least two classes are needed",
      "If it is the score of the second of two classes, name both in output.classes of its input contract.",
    );
  checkContract(shapeOf(network.inputs[0]).slice(1), contract, file);
}

export const shapeOf = (tensor: tfl.SymbolicTensor | undefined): (number | null)[] => tensor?.shape ?? [];
