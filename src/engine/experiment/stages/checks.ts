import type { InputContract } from "../../../shared/contract.ts";
import { BulwarkError } from "../../../shared/errors.ts";
import { count } from "../../../shared/format.ts";
import { checkDefenses } from "../../classifier/checkDefenses.ts";
import type { Classifier } from "../../classifier/classifier.ts";
import { withoutModel } from "../../classifier/defended.ts";
import { requireAccess, requirePreparation } from "../../classifier/forwardOnly.ts";
import { classifierOf } from "../../classifier/network.ts";
import type { NetworkFacts } from "../../define/analysis.ts";
import { documented, type ModelFacts, type TrainingPlan } from "../../define/index.ts";
import { requireExplainable } from "../../evaluation/explain.ts";
import { bind } from "../../registry.ts";
import { planOf } from "../../session/openModel.ts";
import type { tfl } from "../../tf.ts";
import type { ResolvedArm } from "../arms.ts";
import type { RunEnvironment } from "../environment.ts";
import { trains } from "../models.ts";
import { named } from "../named.ts";
import type { ResolvedAnalysis, ResolvedAttack, ResolvedExplanation } from "../resolve.ts";
import { factsOf as experimentFacts } from "../resolveAnalyses.ts";
import { type Built, traineeOf } from "./trainee.ts";

// What would stop a run later is refused before anything is trained or attacked.

/**
 * Data that can be trained on, a network that can be built and converted for them (with weights of zero where it begins anew), and the
 * attack that watches the training.
 * @throws DATASET_INVALID, DATASET_EMPTY, and what building, conversion and the attack's own check throw
 */
export async function checkTraining(arm: ResolvedArm, env: RunEnvironment): Promise<void> {
  refuseOneClass(env);
  await checkNetwork(arm, env);
  if (env.data.trainSize === 0) throw noTrainingImages(env);
  checkWatched(arm, env);
  const { quickAttack } = arm.train;
  if (!quickAttack) return;
  const attack = { ...bind("attack", quickAttack), key: `quickAttack ${quickAttack.kind}` };
  checkParameters(attack, await factsOf(arm, env));
}

/** Images to watch that are there. @throws EXPERIMENT_INVALID */
function checkWatched({ name, train: { watch, validation } }: ResolvedArm, { data }: RunEnvironment): void {
  const split = data.split(validation);
  const { size } = split.validation ?? split.train;
  const missing = watch.find((index) => index >= size);
  if (missing === undefined) return;
  const which = split.validation ? "validation images" : "training images";
  throw new BulwarkError(
    "EXPERIMENT_INVALID",
    `train.watch: ${name} has no image ${missing} to watch; it has ${count(size)} ${which}.`,
    `Use indices from 0 to ${size - 1}.`,
  );
}

/** What stands in front of an arm, on trial images; a defence that looks at the model waits until that is open. @throws DEFENSE_INVALID */
export async function checkFront({ name, front }: ResolvedArm, { ctx, data }: RunEnvironment): Promise<void> {
  const streams = { random: (i: number) => ctx.rng.stream(`trial/${i}`) };
  try {
    await checkDefenses(withoutModel(front, streams), data.inputShape);
  } catch (thrown) {
    throw named(name, thrown);
  }
}

/** An attack whose parameters do not fit images or classes. @throws what opening a model and the attack's own check throw */
export async function checkAttack(arm: ResolvedArm, attack: ResolvedAttack, env: RunEnvironment): Promise<void> {
  await withModel(arm, env, (model) => requireAccess(attack.entry, attack.params, model));
  checkParameters(attack, await factsOf(arm, env));
}

/** What an attack prepares by gradients on a model that has none. @throws MODEL_FORWARD_ONLY, and what opening a model throws */
export const checkPreparation = (arm: ResolvedArm, { entry, params }: ResolvedAttack, env: RunEnvironment): Promise<void> =>
  withModel(arm, env, (model) => requirePreparation(entry, params, model));

/** An explanation of a network without what it looks at. @throws MODEL_FORWARD_ONLY, PARAMETER_INVALID, and what opening or building it throws */
export const checkExplanation = (arm: ResolvedArm, { entry }: Pick<ResolvedExplanation, "entry">, env: RunEnvironment): Promise<void> =>
  trains(arm, env.mode)
    ? withTrainee(arm, env, (model) => requireExplainable(entry, model))
    : withModel(arm, env, (model) => requireExplainable(entry, model));

/** Checks a model that the run takes as it is; one that it trains has layers and gradients. */
async function withModel(arm: ResolvedArm, { mode, networks }: RunEnvironment, check: (model: Classifier) => void): Promise<void> {
  if (trains(arm, mode)) return;
  const { classifier } = await networks.open(arm);
  try {
    check(classifier);
  } catch (thrown) {
    throw named(arm.name, thrown);
  }
}

/** Checks the network that the run will train, by the layers that it has then. */
const withTrainee = (arm: ResolvedArm, env: RunEnvironment, check: (model: Classifier) => void): Promise<void> =>
  withNetwork(arm, env, (network, plan, input) => {
    const { inputShape } = env.data;
    check(classifierOf(network, { contract: { input }, outputs: "logits", plan, inputShape, freeze: false }));
  });

/**
 * An analysis whose parameters fit no network of the experiment, or whose explanations a network does not allow.
 * @throws PARAMETER_INVALID, MODEL_FORWARD_ONLY
 */
export async function checkAnalysis({ entry, params }: ResolvedAnalysis, env: RunEnvironment): Promise<void> {
  const measured = env.experiment.arms.filter(env.facts.hasModel);
  for (const explanation of entry.explanations?.(params) ?? [])
    for (const arm of measured) await checkExplanation(arm, { entry: explanation }, env);
  if (!entry.checkNetworks) return;
  const networks: NetworkFacts[] = [];
  for (const arm of measured) networks.push({ arm: arm.name, slices: await slicesOf(arm, env) });
  const { dataset, arms, attacks, detectors } = env.experiment;
  entry.checkNetworks(params, networks, experimentFacts({ dataset: dataset.id, arms, attacks, detectors }));
}

async function slicesOf(arm: ResolvedArm, { mode, data, networks }: RunEnvironment): Promise<NetworkFacts["slices"]> {
  if (trains(arm, mode)) return planOf(arm.training.map(documented), data.inputShape, data.classes).slices ?? null;
  const { classifier } = await networks.open(arm);
  return (classifier.bare ?? classifier).slices ?? null;
}

/** Size and classes of the images that an arm's network takes. A model that the run does not make itself is opened for that. */
async function factsOf(arm: ResolvedArm, { mode, data, networks }: RunEnvironment): Promise<ModelFacts> {
  if (trains(arm, mode)) return { inputShape: data.inputShape, classes: data.classes };
  const { classifier } = await networks.open(arm);
  return { inputShape: classifier.inputShape, classes: classifier.classes };
}

function checkParameters({ key, entry, params }: Omit<ResolvedAttack, "knowledge">, facts: ModelFacts): void {
  try {
    entry.check?.(params, facts);
  } catch (thrown) {
    throw named(key, thrown);
  }
}

function noTrainingImages({ data, experiment: { dataset } }: RunEnvironment): BulwarkError {
  if (dataset.train === 0)
    return new BulwarkError("DATASET_EMPTY", 'There are no training images: "train" of the data set is 0.', "Set it to 1 or more.");
  const { available } = data;
  const all = available === 1 ? "The only image of the data set is" : `All ${count(available)} images of the data set are`;
  return new BulwarkError(
    "DATASET_EMPTY",
    `${all} for testing: none is left to train on.`,
    "testShare" in dataset.params
      ? 'Set "testShare" of the data set to the share kept for testing, such as 0.2, or divide the images into train and test.'
      : "Add a training part to the data set.",
  );
}

function refuseOneClass({ data, experiment }: RunEnvironment): void {
  if (data.classes > 1) return;
  const [only = ""] = data.classNames;
  const path = experiment.dataset.params["path"];
  const where = typeof path === "string" && path !== "" ? ` in ${path}` : "";
  throw new BulwarkError(
    "DATASET_INVALID",
    `The ${experiment.dataset.id} data set${where} has only one class, "${only}"; a classifier needs at least two.`,
    experiment.dataset.id === "imageFolder"
      ? "Name the folder that holds one subfolder for each class, or add images of another class."
      : "Add images of another class, or correct the labels.",
  );
}

const checkNetwork = (arm: ResolvedArm, env: RunEnvironment): Promise<void> => withNetwork(arm, env, () => undefined);

type OnNetwork = (network: tfl.LayersModel, plan: TrainingPlan, input: InputContract["input"]) => void;

/** The network that an arm's training begins with, converted as its defences want it; gone afterwards. What is wrong with it is said with the arm's name. */
async function withNetwork(arm: ResolvedArm, env: RunEnvironment, use: OnNetwork): Promise<void> {
  const { inputShape, classes } = env.data;
  const base = await baseOf(arm, env);
  let network = base.network;
  try {
    const plan = planOf(arm.training.map(documented), inputShape, classes);
    network = plan.network(base.network);
    use(network, plan, base.input);
  } catch (thrown) {
    throw named(arm.name, thrown);
  } finally {
    if (network !== base.network) network.dispose();
    base.network.dispose();
  }
}

async function baseOf(arm: ResolvedArm, env: RunEnvironment): Promise<Pick<Built, "network" | "input">> {
  const { model } = arm;
  if ("file" in model) return (await traineeOf(arm, env)).build();
  const { inputShape, classes } = env.data;
  try {
    return { network: model.entry.build(model.params, { inputShape, classes, seed: arm.seed, zeroWeights: true }), input: {} };
  } catch (thrown) {
    throw named(arm.name, thrown);
  }
}
