import type { InputContract } from "../../shared/contract.ts";
import { BulwarkError } from "../../shared/errors.ts";
import type { Choice } from "../../shared/results.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { classifierOf, type NetworkOptions } from "../classifier/network.ts";
import { isTraining, type TrainingPlan } from "../define/index.ts";
import { checkRange } from "../importers/contract.ts";
import { loadNetwork, type OutlinedNetwork } from "../importers/index.ts";
import { bind } from "../registry.ts";
import { modelRules } from "../rules/index.ts";
import { findingsOf } from "../rules/rule.ts";
import type { tfl } from "../tf.ts";
import { stackedPlan } from "../training/plan.ts";

export interface OpenOptions {
  /** Replaces the contract beside the model. */
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
  return { classifier: classifierOfLoaded(loaded, path, options.classNames), sha256: loaded.sha256 };
}

/** The classifier of a network that was loaded; it owns the network. Several over one network, with other contracts: all but one with `freeze` false. */
export function classifierOfLoaded(
  { network, contract, contractSource, outputs, isMultiLabel, classes, evidence, forwardOnly }: OutlinedNetwork,
  path: string,
  given?: readonly string[],
  o: Pick<NetworkOptions, "freeze"> = {},
): Classifier {
  const defenses = contract.defense ? [contract.defense].flat() : [];
  const classNames = given ?? classes?.names;
  const carried = defenses.length > 0 ? carriedDefenses(defenses, network, contract, path) : {};
  return classifierOf(network, {
    ...o,
    contract,
    contractSource,
    outputs,
    isMultiLabel,
    defenses,
    findings: findingsOf(modelRules, evidence, {}),
    forwardOnly,
    synsets: given ? null : (classes?.synsets ?? null),
    classNamesSource: given ? null : (classes?.source ?? null),
    ...carried,
    ...(classNames ? { classNames } : {}),
  });
}

/**
 * How the training defences of a list train and evaluate the network, each changing the plan of those before it; defences in front change
 * no training. @throws EXPERIMENT_INVALID for one that is listed twice, and what `bind` and the plans throw
 */
export function planOf(defenses: readonly Choice[], inputShape: readonly [number, number, number], classes: number): TrainingPlan {
  const bound = defenses.map(({ id, params }) => bind("defense", { ...params, kind: id }));
  return stackedPlan(bound.filter(isTraining), { inputShape, classes });
}

/** A volumized network does not show the size of its images: Bulwark's contract does. */
function carriedDefenses(defenses: readonly Choice[], network: tfl.LayersModel, contract: InputContract, path: string) {
  const { size, channels } = contract.input;
  const classes = network.outputs[0]?.shape.at(-1) ?? 0;
  if (!size || !channels)
    throw new BulwarkError(
      "MODEL_INVALID",
      `The contract of ${path} names a defence but not the size and channels of the images.`,
      'Put "size" and "channels" into its .bulwark.json, or save the model with Bulwark again.',
    );
  const inputShape = [...size, channels === "gray" ? 1 : 3] as const;
  checkRange(contract, inputShape[2], path);
  return { inputShape, plan: planOf(defenses, inputShape, classes) };
}
