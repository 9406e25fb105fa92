import type { AttackSummary, Choice } from "../../shared/results.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { RunContext } from "../context.ts";
import type { ImageSource } from "../training/feed.ts";
import type { Evaluations } from "./attack.ts";
import type { ModelFacts } from "./model.ts";
import type { Params } from "./params.ts";

/**
 * Where it comes from: `parameters` alone decide it (a file that they name, or nothing at all), it is made on the undefended arm and
 * transferred to the others, or it is made on the very model that is attacked.
 */
export type PreparationOrigin = "parameters" | "transfer" | "whitebox";

/** A step of the making. `prepared` is as it is after the step, and alive: copy it to keep it. */
export interface PreparationStep<P = unknown> {
  readonly done: number;
  readonly total: number;
  readonly prepared: P;
}
export interface PrepareContext<P = unknown> extends RunContext {
  /** A file for whatever it takes to go on after an interruption; absent where nothing is kept. The caller removes it in the end. */
  readonly resumeFile?: string;
  onStep?(step: PreparationStep<P>): void | Promise<void>;
}
/** What a saved preparation says of how it was made. */
export interface Provenance {
  /** Hash of all that decides it. */
  readonly key: string;
  readonly attack: Choice;
  readonly seed: number;
  readonly backend: string;
  /** What it was made from, in words: "the training images of mnist". */
  readonly images: string;
  readonly imageCount: number;
  readonly model: ModelFacts & { readonly name: string; readonly sha256: string | null; readonly classNames: readonly string[] };
}

/**
 * What an attack makes once and then uses on many images: a patch, a substitute model. Runner and harness carry it from `make` or `load`
 * to `Attack.run` (`ctx.prepared`) and `Attack.ball` (`facts.prepared`) without knowing what it is.
 */
export interface Preparation<P = unknown> {
  /** One word for it, "patch": names its files, its piece of a run and its random stream. */
  readonly noun: string;
  origin(params: Params): PreparationOrigin;
  /**
   * The parameters that it depends on: attacks of a run that have these alike share what is made. All of them, and nothing is shared, when
   * left out.
   */
  decisive?(params: Params): Params;
  /** The parameters as reports state them where the caller decides on which model it is made. */
  madeOn?(params: Params, origin: "transfer" | "whitebox"): Params;
  /** Images through the model that making it takes, for the time left. */
  evaluations(params: Params): Evaluations;
  /** @throws BulwarkError, CANCELLED within a step */
  make(model: Classifier, images: ImageSource, params: Params, ctx: PrepareContext<P>): Promise<P>;
  /** Writes `<stem>.*` into the folder, the file that says that it is whole last. Returns their names. */
  save(prepared: P, folder: string, stem: string, about: Provenance): Promise<readonly string[]>;
  /** What `save` wrote; null where there is nothing whole, or (with a key) where it was made from something else. */
  load(folder: string, stem: string, facts: ModelFacts, key?: string): Promise<P | null>;
  /** `hash` of its content: finished batches are only good for the same one. The counts are those of its making. */
  facts(prepared: P): { readonly hash: string; readonly gradientEvaluations: number; readonly queries: number };
  /** The attack's parameters completed by it: a patch from a file brings its own target. */
  params?(prepared: P, params: Params): Params;
  /** What the summary of the attack says of it; `<stem>` names its files in the run folder. */
  summary?(prepared: P, params: Params, stem: string): Partial<AttackSummary>;
  /** The same size and place without content: what a grey patch covers. */
  control?(prepared: P): P;
  dispose?(prepared: P): void;
}
