import type { InputContract } from "../../shared/contract.ts";
import { BulwarkError } from "../../shared/errors.ts";
import type { Choice } from "../../shared/results.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { classifierOf } from "../classifier/network.ts";
import { resolveParams, type TrainingPlan } from "../define/index.ts";
import { loadNetwork } from "../importers/index.ts";
import { find } from "../registry.ts";
import type { tfl } from "../tf.ts";

export interface OpenOptions {
  /** Instead of the contract that lies beside the model. */
  readonly contract?: InputContract | undefined;
  readonly classNames?: readonly string[] | undefined;
}
export interface OpenedModel {
  /** Its weights are frozen; `dispose()` frees them. */
  readonly classifier: Classifier;
  /** Of model.json and weights. */
  readonly sha256: string;
}

/**
 * A model file, run folder or a run's model folder as the classifier that attacks see: the defence it was trained with is part of it.
 * @throws FILE_NOT_FOUND, MODEL_INVALID, MODEL_NAN, UNKNOWN_ID for a defence of another version
 */
export async function openModel(path: string, options: OpenOptions = {}): Promise<OpenedModel> {
  const loaded = await loadNetwork(path, options.contract);
  const { network, contract, sha256 } = loaded;
  const defense = contract.defense ?? null;
  const classNames = options.classNames ?? contract.output?.classes;
  const carried = defense && carriedDefense(defense, network, contract, path);
  const classifier = classifierOf(network, {
    contract,
    outputs: loaded.outputs,
    defense,
    warnings: loaded.warnings,
    ...carried,
    ...(classNames ? { classNames } : {}),
  });
  return { classifier, sha256 };
}

/** How the defence trains and evaluates the network; an inference defence trains it in the ordinary way. */
export function planOf(defense: Choice, inputShape: readonly [number, number, number], classes: number): TrainingPlan {
  const entry = find("defense", defense.id);
  const trainer = entry.kind === "training" ? { entry, params: defense.params } : { entry: find("defense", "standard"), params: {} };
  if (trainer.entry.kind !== "training") throw new Error("the registry has no training defence `standard`");
  const params = resolveParams(trainer.entry.params, trainer.params, trainer.entry.id);
  return trainer.entry.plan(params, { inputShape, classes });
}

/** A volumized network does not show the size of its images: Bulwark's contract does. */
function carriedDefense(defense: Choice, network: tfl.LayersModel, contract: InputContract, path: string) {
  const { size, channels } = contract.input;
  const classes = network.outputs[0]?.shape.at(-1) ?? 0;
  if (!size || !channels)
    throw new BulwarkError(
      "MODEL_INVALID",
      `The contract of ${path} names a defence but not the size and channels of the images.`,
      'Put "size" and "channels" into its .bulwark.json, or save the model with Bulwark again.',
    );
  const inputShape = [...size, channels === "gray" ? 1 : 3] as const;
  return { inputShape, plan: planOf(defense, inputShape, classes) };
}
