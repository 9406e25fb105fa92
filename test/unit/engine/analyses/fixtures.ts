import { createContext } from "../../../../src/engine/context.ts";
import type { AnalysedArm, AnalysedAttack, Analysis, AnalysisSubject, RunFacts } from "../../../../src/engine/define/analysis.ts";
import { followedIterations, type Params } from "../../../../src/engine/define/index.ts";
import { batchesOf } from "../../../../src/engine/evaluation/batches.ts";
import { staticResult } from "../../../../src/engine/experiment/stages/staticResult.ts";
import { summarizeAttack } from "../../../../src/engine/harness/summarize.ts";
import { targetOf } from "../../../../src/engine/metrics/robustness.ts";
import { bind, find } from "../../../../src/engine/registry.ts";
import type { ArmAnalysis, Choice, ImageRecord } from "../../../../src/shared/results.ts";

/** Class 0 is right, or that of `classes`, and the next one wrong. `r` stays right, `b` is broken, `w` was wrong already, `h` was wrong and is right now. */
export const records = (fate: string, classes: readonly number[] = []): ImageRecord[] =>
  [...fate].map((letter, index) => ({
    index,
    label: classes[index] ?? 0,
    cleanPrediction: (classes[index] ?? 0) + (letter === "w" || letter === "h" ? 1 : 0),
    prediction: (classes[index] ?? 0) + (letter === "r" || letter === "h" ? 0 : 1),
    success: letter === "b",
    successAfter8Bit: letter === "b",
    linf: 0,
    l2: 0,
    l0: 1,
    iterations: 1,
  }));

export const volumized = (params: Choice["params"] = {}): Choice => ({
  id: "volumizedCurriculum",
  params: { measure: "mutualInformation", patch: 16, onRemainder: "error", volumizer: true, curriculum: true, ...params },
});
export const undefended: Choice = { id: "standard", params: {} };

export interface ToyAttack {
  readonly attack: Choice;
  readonly key?: string;
  readonly fate: string;
  readonly classes?: readonly number[];
  /** What became of the undefended arm's images on this one, and of the undefended arm itself. */
  readonly transferred?: { readonly fate: string; readonly undefended: string };
}

export function analysedAttack({ attack, key = attack.id, fate, classes, transferred }: ToyAttack): AnalysedAttack {
  const counted = { records: records(fate, classes), gradientEvaluations: 0, forwardEvaluations: 0, seconds: 1 };
  const notes = {
    outOfBall: 0,
    notFinite: 0,
    silentSuccess: 0,
    lostAfter8Bit: 0,
    skipped: 0,
    zeroGradient: 0,
    zeroMargin: 0,
    usesGradients: false,
  };
  const summary = summarizeAttack([{ ...counted, notes }], { attack, defenses: [], backend: "cpu", seed: 1 });
  const source = transferred ? records(transferred.undefended, classes) : null;
  const shown =
    transferred && source ? { static: staticResult("undefended", records(transferred.fate, classes), source, targetOf(attack)) } : {};
  const withoutDefense = transferred ? records(transferred.fate, classes) : null;
  return { key, summary: { ...summary, key, ...shown }, records: counted.records, undefended: source, static: withoutDefense };
}

export interface ToyArm {
  readonly name: string;
  readonly defense: Choice;
  readonly attacks?: readonly ToyAttack[];
  readonly analyses?: readonly ArmAnalysis[];
  readonly data?: unknown;
  readonly history?: AnalysedArm["history"];
  /** Of the optimiser. */
  readonly steps?: number;
}

export function arm({ name, defense, attacks = [], analyses = [], data = null, history = [], steps }: ToyArm): AnalysedArm {
  const analysed = attacks.map(analysedAttack);
  const first = analysed[0]?.summary;
  return {
    attacks: analysed,
    data,
    history,
    report: {
      name,
      defense,
      model: { id: "lenet", params: {} },
      clean: { accuracy: first?.clean.accuracy ?? 1, correct: first?.clean.correct ?? 0, n: first?.n ?? 0 },
      training: steps === undefined ? null : { epochs: 1, steps, seconds: 1, imagesPerSecond: 1, reused: false, images: 1 },
      attacks: analysed.map(({ summary }) => summary),
      detectors: [],
      explanations: [],
      analyses,
      timing: null,
    },
  };
}

export const facts = (arms: readonly AnalysedArm[], attacks: readonly Choice[] = []): RunFacts => ({
  dataset: "cifar10",
  arms: arms.map(({ report }) => ({ name: report.name, defense: report.defense, defenses: [report.defense], model: report.model.id })),
  attacks: attacks.map((attack) => {
    const { entry, params } = bind("attack", { kind: attack.id, ...attack.params });
    return { ...attack, key: attack.id, iterations: followedIterations(entry, params), minimizes: entry.minimizes !== undefined };
  }),
  detectors: arms.flatMap(({ report }) => report.detectors.map(({ id }) => id)),
  attackParams: (id) => find("attack", id).params,
  attackTitle: (id) => find("attack", id).title,
  inputShape: [32, 32, 3],
  crossed: [],
});

/** What an analysis measures whose parts were done in shards of so many images, and kept in files. */
export async function measuredInShards(
  { parts, measure }: Analysis,
  asked: AnalysisSubject,
  params: Params,
  { n, size }: { readonly n: number; readonly size: number },
): Promise<unknown> {
  const ctx = createContext();
  const done = new Map<string, unknown[]>();
  for (const part of parts?.(params) ?? []) {
    const shards: unknown[] = [];
    for (const range of batchesOf(Math.min(part.images ?? n, n), size))
      shards.push(JSON.parse(JSON.stringify(await part.measure(asked, range, ctx))));
    done.set(part.name, shards);
  }
  return measure?.({ ...asked, shards: async (part) => done.get(part) ?? [] }, params, ctx);
}

const unasked = (): never => {
  throw new Error("not asked");
};
/** An arm of which an analysis may ask what the test says, and nothing else. */
export const subject = (asked: Partial<AnalysisSubject>): AnalysisSubject => ({
  get model() {
    return unasked();
  },
  attacks: [],
  further: [],
  images: unasked,
  staticImages: unasked,
  draw: unasked,
  save: unasked,
  boxes: unasked,
  explain: unasked,
  scores: unasked,
  shards: unasked,
  time: unasked,
  ...asked,
});
