import type { InputContract } from "../../shared/contract.ts";
import { BulwarkError } from "../../shared/errors.ts";
import "../models/layers/index.ts"; // registers the layers that tfjs lacks
import type { ModelEvidence } from "../rules/evidence.ts";
import { tfl } from "../tf.ts";
import { type Artifacts, readArtifacts, toHandler } from "./artifacts.ts";
import { checkContract, parseContract, readContract } from "./contract.ts";
import { knowledgeOf, type ModelKnowledge } from "./evidence/index.ts";
import { checkFinite } from "./finite.ts";
import { contractFile, locateModel } from "./locate.ts";
import { type Ending, removeSoftmax } from "./softmax.ts";

export { parseContract } from "./contract.ts";
export { locateModel } from "./locate.ts";
export { saveNetwork } from "./save.ts";

export interface LoadedNetwork extends Pick<ModelKnowledge, "contract" | "contractSource" | "classes"> {
  /** The caller disposes. */
  readonly network: tfl.LayersModel;
  readonly format: string;
  /** The `model.json`. */
  readonly file: string;
  readonly outputs: "logits" | "probabilities";
  /** What rules about a model look at. */
  readonly evidence: ModelEvidence;
  /** Harmless things done while loading, for the user to know. */
  readonly notes: readonly string[];
  /** Of model.json and weights. */
  readonly sha256: string;
}

/**
 * Loads a TensorFlow.js layers model and its input contract, which what else is known of the model completes. A final softmax is taken
 * off where that can be done; otherwise `outputs` is "probabilities" (RB102).
 * @param path `model.json`, a folder that holds it, or a run folder.
 * @param given contract that replaces the one beside the model, except for the defences that the model carries and the images they take.
 * @throws FILE_NOT_FOUND, FILE_UNREADABLE, MODEL_INVALID (half a file, graph model, no classifier, contract that does not fit), MODEL_NAN
 */
export async function loadNetwork(path: string, given?: InputContract): Promise<LoadedNetwork> {
  const file = await locateModel(path);
  const artifacts = await readArtifacts(file);
  checkFinite(artifacts, file);
  const stored = await readContract(contractFile(file));
  const contract = given ? replaced(stored, parseContract(given, "the input contract")) : stored;
  const ending = removeSoftmax(artifacts.topology);
  const network = await build(artifacts, file);
  try {
    checkClassifier(network, contract, file);
    const { contradiction, ...known } = await knowledgeOf(contract, {
      file,
      network,
      metadata: artifacts.metadata,
      isGiven: given !== undefined,
    });
    const { outputs, notes } = judge(ending, contract);
    const evidence: ModelEvidence = { outputs, contractSource: known.contractSource, contradiction };
    return { network, ...known, format: "tfjs-layers", file, outputs, evidence, notes, sha256: artifacts.sha256 };
  } catch (error) {
    network.dispose();
    throw error;
  }
}

/** A volumized network does not show the size of its images: where the new contract does not name it either, the stored one does. */
function replaced({ defense, input: { size, channels } }: InputContract, given: InputContract): InputContract {
  if (!defense) return given;
  return { defense, ...given, input: { ...(size && { size }), ...(channels && { channels }), ...given.input } };
}

async function build(artifacts: Artifacts, file: string): Promise<tfl.LayersModel> {
  try {
    return await tfl.loadLayersModel(toHandler(artifacts));
  } catch (error) {
    const detail = error instanceof Error ? error.message : String(error);
    const unknown = /^Unknown layer: (\S+?)\.? /.exec(detail)?.[1];
    if (unknown)
      throw new BulwarkError(
        "MODEL_INVALID",
        `${file} has a layer of the class ${unknown}, which neither TensorFlow.js nor Bulwark knows.`,
        "Build the model from layers that TensorFlow.js has, and save it again.",
        { cause: error },
      );
    const reason = detail.split("\n")[0]?.slice(0, 160).replace(/\.$/, "");
    throw new BulwarkError(
      "MODEL_INVALID",
      `${file} cannot be built: ${reason}.`,
      "Only layers that TensorFlow.js has can be loaded; check how the model was converted.",
      { cause: error, detail },
    );
  }
}

function judge(ending: Ending, contract: InputContract): Pick<LoadedNetwork, "outputs" | "notes"> {
  const declared = contract.output?.kind;
  const probabilities = ending.kind === "none" ? declared === "probabilities" : !ending.removed;
  if (probabilities) return { outputs: "probabilities", notes: [] };
  const notes = ending.removed ? [`the final ${ending.kind} is taken off: attacks use the scores before it`] : [];
  return { outputs: "logits", notes };
}

/** One input that is an image, one output with a score for each of at least two classes. Models with a training defence are not checked: a volumized network has another shape. */
function checkClassifier(network: tfl.LayersModel, contract: InputContract, file: string): void {
  const bad = (what: string) =>
    new BulwarkError("MODEL_INVALID", `${file} ${what}.`, "Use an image classifier with one input and one output.");
  if (network.inputs.length !== 1 || network.outputs.length !== 1)
    throw bad(`has ${network.inputs.length} inputs and ${network.outputs.length} outputs`);
  if (contract.defense) return;
  const output = shapeOf(network.outputs[0]);
  if (output.length !== 2) throw bad(`gives [${output.join(", ")}] for an image, not one score for each class`);
  const classes = output[1];
  if (typeof classes === "number" && classes < 2) throw bad("has a single output; at least two classes are needed");
  checkContract(shapeOf(network.inputs[0]).slice(1), contract, file);
}

export const shapeOf = (tensor: tfl.SymbolicTensor | undefined): (number | null)[] => tensor?.shape ?? [];
