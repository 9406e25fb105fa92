import { isCancelled } from "../../shared/errors.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { createContext, type RunContext } from "../context.ts";
import { type Attack, evaluationsOf, type ImageBatch, type Params } from "../define/index.ts";
import { partOfBatch } from "../harness/halving.ts";
import { attackBatch } from "../harness/runAttack.ts";
import type { BatchOutcome } from "../harness/types.ts";
import { tf } from "../tf.ts";
import { type Check, cheapParams, demand, demandBounds, distance, outOfBounds, variants } from "./check.ts";

/** What an attack is tried on: a model, and images that it classifies as their labels say. */
export interface Target {
  readonly model: Classifier;
  readonly batch: ImageBatch;
}

interface TrialOptions {
  readonly params?: Params;
  readonly batch?: ImageBatch;
  readonly firstIndex?: number;
  readonly signal?: AbortSignal;
  readonly step?: () => void;
}

/** One attack against one model. */
class Trial {
  readonly #attack: Attack;
  readonly #target: () => Target;
  #first: Promise<BatchOutcome> | undefined;

  constructor(attack: Attack, target: () => Target) {
    this.#attack = attack;
    this.#target = target;
  }

  get batch(): ImageBatch {
    return this.#target().batch;
  }
  get model(): Classifier {
    return this.#target().model;
  }

  /** With its quick parameters, computed once. */
  get first(): Promise<BatchOutcome> {
    this.#first ??= this.run();
    return this.#first;
  }

  /** What the attack prepares, from all images of the batch. */
  async prepared(params: Params): Promise<unknown> {
    const { batch } = this;
    const read = async (places: ArrayLike<number>): Promise<ImageBatch> => {
      const parts = Array.from(places, (place) => partOfBatch(batch, place, place + 1));
      return {
        images: Float32Array.from(parts.flatMap((part) => Array.from(part.images))),
        labels: Int32Array.from(parts, (part) => part.labels[0] ?? -1),
        n: parts.length,
      };
    };
    return this.#attack.preparation?.make(this.model, { size: batch.n, read }, params, createContext({ seed: 5 }));
  }

  async run(o: TrialOptions = {}): Promise<BatchOutcome> {
    const { batch = this.batch, firstIndex = 0, params = cheapParams(this.#attack) } = o;
    const ctx = createContext({ seed: 5, ...(o.signal ? { signal: o.signal } : {}) });
    const counted: RunContext = {
      ...ctx,
      checkpoint: async () => {
        o.step?.();
        await ctx.checkpoint();
      },
    };
    const task = { attack: this.#attack, params, model: this.model, batch, firstIndex, seedName: "conformance" };
    const prepared = await this.prepared(params);
    try {
      return await attackBatch({ ...task, prepared }, counted);
    } finally {
      this.#dispose(prepared);
    }
  }

  of(params: Params): Promise<BatchOutcome> {
    return params === variants(this.#attack)[0]?.[1] ? this.first : this.run({ params });
  }

  /** The outcome lies in the entry's ball and in [0,1] without having been clipped by the harness. */
  async demandInside(params: Params, outcome: BatchOutcome): Promise<void> {
    demandTidy(outcome);
    const prepared = await this.prepared(params);
    const { norm, radius, window } = this.#attack.ball(params, { inputShape: this.model.inputShape, prepared });
    this.#dispose(prepared);
    for (const record of outcome.records)
      demand(record[norm] <= radius + 1e-6, `an image is ${record[norm]} away in ${norm}, and the ball is ${radius}`);
    demand(window === undefined || window < this.model.inputShape[0], "its window is as large as the image");
  }

  #dispose(prepared: unknown): void {
    if (prepared !== undefined) this.#attack.preparation?.dispose?.(prepared);
  }
}

/** The attack returned finite numbers that needed no clipping. */
function demandTidy({ notes, adversarial }: BatchOutcome): void {
  demand(notes.notFinite === 0, `${notes.notFinite} of its images hold values that are no numbers`);
  demand(notes.outOfBall === 0, `${notes.outOfBall} of its images lie outside its ball or outside [0,1]; clip them in run`);
  demand(
    adversarial.every((value) => value >= 0 && value <= 1),
    "an image lies outside [0,1]",
  );
}

/** Checks that every attack has to pass. @param target the same at every call; made when the first check runs */
export function attackChecks(attack: Attack, target: () => Target): Check[] {
  const trial = new Trial(attack, target);
  return [
    ...variants(attack).map(([name, params]) => ({
      name: `stays in its ball and in [0,1] by itself (${name})`,
      run: async () => trial.demandInside(params, await trial.of(params)),
    })),
    ...variants(attack).map(([name, params]) => ({
      name: `takes no more evaluations than it says (${name})`,
      run: async () => {
        const { forwardEvaluations, gradientEvaluations } = await trial.of(params);
        const { forward, gradient } = evaluationsOf(attack, params, trial.model);
        const { n } = trial.batch;
        demand(forwardEvaluations <= n * forward, `it took ${forwardEvaluations} forward passes for ${n} images, and says ${forward} each`);
        demand(gradientEvaluations <= n * gradient, `it took ${gradientEvaluations} gradients for ${n} images, and says ${gradient} each`);
      },
    })),
    ...repeatability(trial),
    { name: "leaks no tensor, finished or cancelled, and is cancelled within a step", run: () => demandTidiness(trial) },
    ...(alwaysAims(attack)
      ? []
      : [{ name: "returns misclassified images as they are, where it aims at no class", run: () => demandUntouched(attack, trial) }]),
    { name: "honours the bounds of its parameters", run: () => demandParameters(attack, trial) },
    ...(attack.target && "target" in attack.params.properties
      ? [{ name: "aims at a class, and refuses one that is none", run: () => demandAim(attack, trial) }]
      : []),
  ];
}

/** Its parameters leave it no form without a target: an image of a wrong class, too, is led to another one. */
const alwaysAims = ({ params }: Attack): boolean => {
  const [whole]: readonly { readonly minimum?: number }[] = params.properties["target"]?.["anyOf"] ?? [];
  return whole?.minimum === 0;
};

const repeatability = (trial: Trial): Check[] => [
  {
    name: "gives the same images for the same seed",
    run: async () => {
      const again = distance((await trial.run()).adversarial, (await trial.first).adversarial);
      demand(again === 0, `they differ by ${again}; draw random numbers from ctx.random(i) alone`);
    },
  },
  {
    name: "gives an image the same result alone as in a batch",
    run: async () => {
      const { batch } = trial;
      const size = batch.images.length / batch.n;
      const many = await trial.first;
      const one = await trial.run({ batch: partOfBatch(batch, 1, 2), firstIndex: 1 });
      const far = distance(one.adversarial, many.adversarial.slice(size, 2 * size));
      demand(
        far < 1e-5 && one.predictions[0] === many.predictions[1],
        `it differs by ${far}; take nothing from the other images, and ctx.random(i) for image i`,
      );
    },
  },
];

async function demandTidiness(trial: Trial): Promise<void> {
  await trial.first;
  const before = tf.memory().numTensors;
  const left = (): number => tf.memory().numTensors - before;
  let steps = 0;
  await trial.run({ step: () => void steps++ });
  demand(left() === 0, `${left()} tensors are left after it; dispose them, or use tf.tidy`);
  demand(steps >= 2, "it never reaches ctx.iterate or ctx.checkpoint");
  const stop = new AbortController();
  let stopped = 0;
  const step = (): void => {
    if (++stopped === 2) stop.abort();
  };
  const thrown = await trial.run({ signal: stop.signal, step }).catch((error: unknown) => error);
  demand(isCancelled(thrown), "it went on when it was cancelled; let what ctx.iterate throws pass");
  demand(stopped === 2, `it took ${stopped - 2} steps more when it was cancelled`);
  demand(left() === 0, `${left()} tensors are left when it is cancelled; dispose them in a finally`);
}

async function demandUntouched(attack: Attack, trial: Trial): Promise<void> {
  const { batch, model } = trial;
  const cheap = cheapParams(attack);
  const params = "target" in cheap ? { ...cheap, target: -1 } : cheap;
  const wrong = { ...batch, labels: batch.labels.map((label) => (label + 1) % model.classes) };
  const { adversarial, records } = await trial.run({ batch: wrong, params });
  demand(distance(adversarial, batch.images) === 0, "an image was changed that was misclassified before");
  demand(
    records.every(({ success, iterations, l2 }) => !success && iterations === 0 && l2 === 0),
    "such an image counts as attacked",
  );
}

async function demandParameters(attack: Attack, trial: Trial): Promise<void> {
  demandBounds(attack);
  const cheap = cheapParams(attack);
  for (const [key, { minimum }] of Object.entries(outOfBounds(attack.params)))
    if (minimum !== undefined && minimum !== cheap[key]) demandTidy(await trial.run({ params: { ...cheap, [key]: minimum } }));
}

async function demandAim(attack: Attack, trial: Trial): Promise<void> {
  const cheap = cheapParams(attack);
  const { records } = await trial.run({ params: { ...cheap, target: 1 } });
  for (const { success, prediction, cleanPrediction, target } of records) {
    demand(target === 1, "its records do not say the target");
    demand(success === (prediction === 1 && cleanPrediction !== 1), "a success is not the target class");
  }
  const thrown = await trial.run({ params: { ...cheap, target: trial.model.classes } }).catch((error: unknown) => error);
  demand((thrown as { readonly code?: unknown }).code === "PARAMETER_INVALID", "a target is taken that is no class of the model");
}
