import { BulwarkError } from "../../shared/errors.ts";
import { suggestion } from "../../shared/nearest.ts";
import { slug } from "../../shared/runs.ts";
import { documented, labelOf } from "../define/index.ts";
import { isUndefended, type ResolvedArm } from "./arms.ts";
import { hashOf } from "./document.ts";

/** The run makes the network itself, unless it evaluates what is there: a model file that nothing is to train is taken as it is. */
export const isTrained = ({ model, training }: ResolvedArm): boolean => !("file" in model) || model.fineTune || training.length > 0;

/** Arms of one run that have the same network have the same key: model, seed, training defences, settings. */
export function networkKey(arm: ResolvedArm): string {
  const { model } = arm;
  const chosen = "file" in model ? { file: model.file, input: model.input } : documented(model);
  if (!isTrained(arm)) return hashOf({ model: chosen });
  return hashOf({ model: chosen, seed: arm.seed, training: arm.training.map(documented), train: arm.train });
}

/** The first arm that has this arm's network: it is trained under that arm's name, into that arm's folder. */
export function ownerOf(arm: ResolvedArm, arms: readonly ResolvedArm[]): ResolvedArm {
  const key = networkKey(arm);
  return arms.find((other) => networkKey(other) === key) ?? arm;
}

/** Which arms static images are made against. */
export interface StaticSources {
  /** The first undefended arm. */
  readonly undefended: ResolvedArm | null;
  /** A second undefended network, that the images are shown to as well. */
  readonly control: ResolvedArm | null;
  /** Networks with nothing in front that no arm of the experiment shows. */
  readonly unlisted: readonly ResolvedArm[];
  /**
   * What an attack that does not know this arm's defence is made against: the same network with nothing in front; where the defence is in
   * the training, the undefended arm. Null for the undefended arm itself, and where there is none.
   */
  of(arm: ResolvedArm): ResolvedArm | null;
}

/**
 * @param control name of the control arm; true for one that is made where an arm with a defence in its training is compared, false for none
 * @throws EXPERIMENT_INVALID for a control arm that is none
 */
export function staticSources(arms: readonly ResolvedArm[], control: string | boolean): StaticSources {
  const bare = new Map(
    arms
      .filter(({ front }) => front.length === 0)
      .map((arm) => [networkKey(arm), arm] as const)
      .reverse(),
  );
  const unlisted: ResolvedArm[] = [];
  for (const arm of arms) {
    const key = networkKey(arm);
    if (bare.has(key)) continue;
    const front = arm.front.map((one) => labelOf(one)).join(" and ");
    const without: ResolvedArm = { ...arm, index: -1, name: `${ownerOf(arm, arms).name} without ${front}`, front: [] };
    bare.set(key, without);
    unlisted.push(without);
  }
  const undefended = [...arms, ...unlisted].find(isUndefended) ?? null;
  const second = typeof control === "string" ? namedControl(arms, control, undefended) : control ? madeControl(arms, undefended) : null;
  return {
    undefended,
    control: second,
    unlisted: second && second.index < 0 ? [...unlisted, second] : unlisted,
    of(arm) {
      if (arm.front.length > 0) return bare.get(networkKey(arm)) ?? null;
      return arm === undefended ? null : undefended;
    },
  };
}

export const controlName = "second undefended network";

/**
 * The undefended network once more, from another seed: an arm of the experiment where one is just that, else one that no report shows. Null
 * where no arm is defended in its training, and where the undefended network is a file or was made of one: another seed would only train the
 * same weights in another order.
 */
function madeControl(arms: readonly ResolvedArm[], undefended: ResolvedArm | null): ResolvedArm | null {
  if (!undefended || "file" in undefended.model || arms.every(({ training, carried }) => training.length + carried.length === 0))
    return null;
  const isSecond = (arm: ResolvedArm): boolean =>
    isUndefended(arm) && arm.seed !== undefended.seed && networkKey({ ...arm, seed: undefended.seed }) === networkKey(undefended);
  const listed = arms.find(isSecond);
  if (listed) return listed;
  const taken = arms.find(({ name }) => slug(name) === slug(controlName));
  if (taken)
    throw new BulwarkError(
      "EXPERIMENT_INVALID",
      `An arm is called "${taken.name}", as the control arm is that the run makes itself.`,
      'Give it another name, or set "control": false.',
    );
  return { ...undefended, index: -1, name: controlName, seed: undefended.seed + 1 };
}

function namedControl(arms: readonly ResolvedArm[], name: string, undefended: ResolvedArm | null): ResolvedArm {
  const invalid = (message: string, fix: string) => new BulwarkError("EXPERIMENT_INVALID", message, fix);
  const found = arms.find((arm) => arm.name === name);
  if (!found)
    throw invalid(
      `There is no arm "${name}" to be the control.`,
      suggestion(
        name,
        arms.map((arm) => arm.name),
        "The arms are",
      ),
    );
  if (!isUndefended(found))
    throw invalid(`The control arm "${name}" is defended.`, "A control is a second undefended network: remove its defence.");
  if (undefended && networkKey(found) === networkKey(undefended))
    throw invalid(
      `The control arm "${name}" has the network that static images are made against.`,
      'Give it a "seed" of its own, so that it becomes another network.',
    );
  return found;
}

/**
 * The order in which arms are attacked: what is shown to others must have been made, so the undefended arm first, then the control, then
 * every other network with nothing in front.
 */
export function runningOrder(arms: readonly ResolvedArm[], sources: StaticSources): ResolvedArm[] {
  const rank = (arm: ResolvedArm): number => {
    if (arm === sources.undefended) return 0;
    if (arm === sources.control) return 1;
    return arm.front.length === 0 ? 2 : 3;
  };
  return [...arms, ...sources.unlisted].sort((a, b) => rank(a) - rank(b));
}
