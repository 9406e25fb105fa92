import { BulwarkError } from "../../shared/errors.ts";
import { checkDefenses } from "../classifier/checkDefenses.ts";
import { withoutModel } from "../classifier/defended.ts";
import type { Attack, Bound, ModelFacts } from "../define/index.ts";
import { bind } from "../registry.ts";
import { planOf } from "../session/openModel.ts";
import type { tfl } from "../tf.ts";
import { defensesOf, type ResolvedArm } from "./arms.ts";
import type { RunEnvironment } from "./environment.ts";
import { named } from "./named.ts";
import { factsOfModel, trains } from "./openArm.ts";
import { traineeOf } from "./trainee.ts";

/**
 * Refuses, before anything is trained or attacked, what would stop the run later: data of a single class, a network that cannot be built
 * or converted for the images, a defence in front that gives no images, a model file that does not fit them, an attack whose parameters do not fit images or classes. Networks
 * that are trained from new weights are built with zeros.
 * @throws DATASET_INVALID, and what building, conversion, opening and the attacks' own checks throw
 */
export async function checkArms(env: RunEnvironment): Promise<void> {
  const { experiment, data } = env;
  const { inputShape } = data.dataset;
  if (experiment.arms.some((arm) => trains(arm, env))) refuseOneClass(env);
  for (const arm of experiment.arms) {
    await checkFront(arm, env);
    const isTrained = trains(arm, env);
    if (isTrained) await checkNetwork(arm, env);
    const facts = isTrained ? { inputShape, classes: data.classes } : await factsOfModel(arm, env);
    if (facts) for (const attack of attacksOn(arm, isTrained, env)) checkAttack(attack, facts);
  }
}

/** Tries what stands in front of an arm on trial images; a defence that looks at the model waits until that is open. */
async function checkFront({ name, front }: ResolvedArm, { ctx, data }: RunEnvironment): Promise<void> {
  const streams = { random: (i: number) => ctx.rng.stream(`trial/${i}`) };
  try {
    await checkDefenses(withoutModel(front, streams), data.dataset.inputShape);
  } catch (thrown) {
    throw named(name, thrown);
  }
}

function refuseOneClass({ data, experiment }: RunEnvironment): void {
  if (data.classes > 1) return;
  const [only = ""] = data.dataset.classNames;
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

async function checkNetwork(arm: ResolvedArm, env: RunEnvironment): Promise<void> {
  const { dataset, classes } = env.data;
  const base = await baseOf(arm, env);
  try {
    const network = planOf(defensesOf(arm), dataset.inputShape, classes).network(base);
    if (network !== base) network.dispose();
  } catch (thrown) {
    throw named(arm.name, thrown);
  } finally {
    base.dispose();
  }
}

async function baseOf(arm: ResolvedArm, env: RunEnvironment): Promise<tfl.LayersModel> {
  const { model } = arm;
  if ("file" in model) return (await (await traineeOf(arm, env)).build()).network;
  const facts = { inputShape: env.data.dataset.inputShape, classes: env.data.classes };
  try {
    return model.entry.build(model.params, { ...facts, seed: arm.seed, zeroWeights: true });
  } catch (thrown) {
    throw named(arm.name, thrown);
  }
}

type NamedAttack = Bound<Attack> & { readonly key: string };

/** The experiment's attacks, those of its analyses, and the one that watches the arm's training. */
function attacksOn({ train: { quickAttack } }: ResolvedArm, isTrained: boolean, { experiment }: RunEnvironment): NamedAttack[] {
  const attacks: NamedAttack[] = [...experiment.attacks, ...experiment.further];
  if (!isTrained || !quickAttack) return attacks;
  return [...attacks, { ...bind("attack", quickAttack), key: `quickAttack ${quickAttack.kind}` }];
}

function checkAttack({ key, entry, params }: NamedAttack, facts: ModelFacts): void {
  try {
    entry.check?.(params, facts);
  } catch (thrown) {
    throw named(key, thrown);
  }
}
