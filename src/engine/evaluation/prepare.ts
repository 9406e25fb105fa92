import { rm, rmdir } from "node:fs/promises";
import path from "node:path";
import { toErrorData } from "../../shared/errors.ts";
import type { AttackSummary, Choice, ImageRecord } from "../../shared/results.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import type { Params, Preparation, PreparationStep } from "../define/index.ts";
import { accuracies, isCorrect } from "../metrics/robustness.ts";
import type { NamedImages } from "./source.ts";

/** What an attack prepares for many images, and where it is kept. */
export interface PreparationJob<P = unknown> {
  readonly attack: Choice;
  readonly preparation: Preparation<P>;
  readonly model: Classifier;
  readonly modelName: string;
  readonly modelHash: string | null;
  readonly images: NamedImages;
  readonly seed: number;
  /** Name of the random stream. */
  readonly seedName: string;
  readonly backend: string;
  readonly directory: string;
  /** Files are `<stem>.*`. */
  readonly stem: string;
  /** Hash of all that decides it: what is there already under this key is taken as it is. */
  readonly key: string;
  onStep?(step: PreparationStep<P>): void | Promise<void>;
  /** Hears the names of the files in `directory` once they are written. */
  onSaved?(names: readonly string[]): void;
}

/**
 * What the attack needs before it meets the first image: what its parameters name, what the folder has from a run that was interrupted,
 * or what is made now. A making that was interrupted goes on and ends with the same result.
 * @throws what making and loading throw, DISK_FULL
 */
export async function prepare<P>(job: PreparationJob<P>, ctx: RunContext): Promise<P> {
  const { preparation, attack, model, images, directory, stem, key, seed, backend } = job;
  const { params } = attack;
  if (preparation.origin(params) === "parameters") return preparation.make(model, images, params, ctx);
  const { inputShape, classes, classNames } = model;
  const finished = await preparation.load(directory, stem, { inputShape, classes }, key).catch((thrown: unknown) => {
    ctx.emit({
      kind: "warning",
      message: `The ${preparation.noun} of an earlier start is damaged; it will be prepared again. ${toErrorData(thrown).message}`,
    });
    return null;
  });
  if (finished !== null) return finished;
  const resumeFile = path.join(directory, "checkpoints", `${stem}-${key.slice(0, 12)}.json`);
  const rng = ctx.rng.stream(`${job.seedName}/${preparation.noun}`);
  const onStep = async (step: PreparationStep<P>): Promise<void> => job.onStep?.(step);
  const prepared = await preparation.make(model, images, params, { ...ctx, rng, resumeFile, onStep });
  const about = { name: job.modelName, sha256: job.modelHash, inputShape, classes, classNames };
  const source = { images: images.name, imageCount: images.size };
  const saved = await preparation.save(prepared, directory, stem, { key, attack, seed, backend, ...source, model: about });
  job.onSaved?.(saved);
  await rm(resumeFile, { force: true });
  await rmdir(path.dirname(resumeFile)).catch(() => undefined); // other attacks may have files there
  return prepared;
}

/** A prepared attack: what `run` gets, and what the summary says of it. */
export interface PreparedAttack {
  readonly preparation: Preparation;
  readonly prepared: unknown;
  /** The attack's parameters as they are with it. */
  readonly params: Params;
  /** Finished batches are only good for the same one. */
  readonly hash: string;
  /** What its making cost here; nothing where it comes from elsewhere. */
  readonly cost: { readonly gradientEvaluations: number; readonly queries: number };
  readonly says: Partial<AttackSummary>;
  /** It was made from the images that it is judged on. */
  readonly isOnItsOwn: boolean;
}

/** @param o `transferred`: it was made for another model, which has paid for it */
export function preparedAttack<P>(
  preparation: Preparation<P>,
  prepared: P,
  params: Params,
  o: { readonly stem: string; readonly isOnItsOwn: boolean; readonly transferred?: boolean },
): PreparedAttack {
  const isFree = o.transferred === true || preparation.origin(params) === "parameters";
  const { hash, gradientEvaluations, queries } = preparation.facts(prepared);
  return {
    preparation: preparation as Preparation,
    prepared,
    params: preparation.params?.(prepared, params) ?? params,
    hash,
    cost: isFree ? { gradientEvaluations: 0, queries: 0 } : { gradientEvaluations, queries },
    says: preparation.summary?.(prepared, params, o.stem) ?? {},
    isOnItsOwn: o.isOnItsOwn && preparation.origin(params) !== "parameters",
  };
}

/** The summary of an attack with what its preparation adds: cost, files, and what the control does to the same images. */
export function withPreparation(
  summary: AttackSummary,
  attack: PreparedAttack,
  control: readonly ImageRecord[] | undefined,
): AttackSummary {
  return {
    ...summary,
    gradientEvaluations: summary.gradientEvaluations + attack.cost.gradientEvaluations,
    forwardEvaluations: summary.forwardEvaluations + attack.cost.queries,
    ...attack.says,
    ...(control ? { covering: { attacked: { accuracy: accuracies(control).attacked, correct: control.filter(isCorrect).length } } } : {}),
  };
}
