import type { InputContract } from "../../shared/contract.ts";
import { BulwarkError } from "../../shared/errors.ts";
import type { Choice } from "../../shared/results.ts";
import type { Classifier } from "../classifier.ts";
import { resolveParams, type TrainingPlan } from "../define.ts";
import { loadNetwork } from "../importers/index.ts";
import { classifierOf } from "../networkClassifier.ts";
import { find } from "../registry.ts";
import type { tfl } from "../tf.ts";

export interface OpenOptions {
  /** Instead of the contract that lies beside the model. */
  readonly contract?: InputContract | undefined;
  readonly classNames?: readonly string[] | undefined;
  /** Image size of the data, for a model that takes any. */
  readonly inputShape?: readonly [number, number, number] | undefined;
}

/**
 * A model file, run folder or a run's model folder as the classifier that attacks see: the defence it was trained with is part of it.
 * Its weights are frozen; `dispose()` frees them.
 * @throws FILE_NOT_FOUND, MODEL_INVALID, MODEL_NAN, UNKNOWN_ID for a defence of another version
 */
export async function openModel(path: string, options: OpenOptions = {}): Promise<Classifier> {
  const loaded = await loadNetwork(path);
  const contract = options.contract ? { ...options.contract, ...keepDefense(loaded.contract) } : loaded.contract;
  const defense = contract.defense ?? null;
  const inputShape = options.inputShape ?? imageShape(loaded.network, contract, path);
  const classNames = options.classNames ?? contract.output?.classes;
  const plan = defense && planOf(defense, inputShape, classesOf(loaded.network));
  return classifierOf(loaded.network, {
    contract,
    outputs: options.contract?.output?.kind ?? loaded.outputs,
    inputShape: [...inputShape],
    defense,
    warnings: loaded.warnings,
    freeze: true,
    ...(plan ? { plan } : {}),
    ...(classNames ? { classNames: [...classNames] } : {}),
  });
}

/** How the defence trains and evaluates the network; an inference defence trains it in the ordinary way. */
export function planOf(defense: Choice, inputShape: readonly [number, number, number], classes: number): TrainingPlan {
  const entry = find("defense", defense.id);
  const trainer = entry.kind === "training" ? { entry, params: defense.params } : { entry: find("defense", "standard"), params: {} };
  if (trainer.entry.kind !== "training") throw new Error("the registry has no training defence `standard`");
  const params = resolveParams(trainer.entry.params, trainer.params, trainer.entry.id);
  return trainer.entry.plan(params, { inputShape, classes });
}

const keepDefense = (contract: InputContract): Pick<InputContract, "defense"> => (contract.defense ? { defense: contract.defense } : {});

export function classesOf(network: tfl.LayersModel): number {
  const shape = network.outputs[0]?.shape;
  return shape?.[shape.length - 1] ?? 0;
}

/** From the contract where it says so (a volumized network does not show the image's size), else from the network's input. */
function imageShape(network: tfl.LayersModel, contract: InputContract, path: string): [number, number, number] {
  const [, height, width, channels] = network.inputs[0]?.shape ?? [];
  const size = contract.input.size;
  const named = contract.input.channels === "gray" ? 1 : contract.input.channels ? 3 : undefined;
  const isImage = network.inputs[0]?.shape.length === 4;
  const shape = [size?.[0] ?? (isImage ? height : null), size?.[1] ?? (isImage ? width : null), named ?? (isImage ? channels : null)];
  if (shape.every((side): side is number => typeof side === "number")) return shape as [number, number, number];
  throw new BulwarkError(
    "MODEL_INVALID",
    `The model ${path} does not say what size of image it takes.`,
    'Put {"input": {"size": [height, width], "channels": "rgb"}} into <model>.bulwark.json beside it.',
  );
}
