import { inputRangeText } from "../../shared/contract.ts";
import type { ProbeEvidence } from "../../shared/probe.ts";
import type { Classifier } from "../classifier/classifier.ts";
import type { LoadedNetwork } from "../importers/index.ts";
import type { ModelEvidence } from "../rules/evidence.ts";
import { type Images, tf } from "../tf.ts";
import { contradicted } from "./batchNorm.ts";
import type { Scored } from "./decide.ts";
import { logitsOf } from "./score.ts";

/** What files and layers say of a model: a first layer that normalises is certain, metadata and names are strong. */
export function filedEvidence({ contract, contractSource, notes, outputs }: LoadedNetwork): ProbeEvidence[] {
  const { kind, text } = contractSource;
  const range = inputRangeText(contract.input);
  const found: ProbeEvidence[] = [];
  if (kind === "layer") found.push({ strength: "certain", text: `${text} takes ${range}` });
  else if (kind !== "assumed") found.push({ strength: "strong", text: `${text} says ${range}` });
  for (const note of notes) found.push({ strength: "certain", text: note });
  if (outputs === "probabilities") found.push({ strength: "certain", text: "the outputs are probabilities" });
  return found;
}

/** The text gives the distances of so many of the nearest candidates, and that of the next one, which is contradicted. */
const listedDistances = 3;

/** What the first batch normalisation says; nothing where no candidate fits it. */
export function normEvidence(distances: ReadonlyMap<string, number>): ProbeEvidence[] {
  const out = contradicted(distances);
  if (out.size === 0) return [];
  const sorted = [...distances].sort((a, b) => a[1] - b[1]);
  const tell = ([id, far]: readonly [string, number]): string => `${id} (${far.toPrecision(2)})`;
  const fitting = sorted.filter(([id]) => !out.has(id));
  const [next] = sorted.filter(([id]) => out.has(id));
  const more = fitting.length > listedDistances ? ` and ${fitting.length - listedDistances} more` : "";
  const text = `the statistics of its first batch normalisation fit ${fitting.slice(0, listedDistances).map(tell).join(", ")}${more}, and contradict ${next ? tell(next) : ""} and farther ones`;
  return [{ strength: "strong", text }];
}

/** What the outputs are by their values; `text` null where the file says it already. */
export interface Outputs {
  readonly kind: "probabilities" | null;
  readonly text: string | null;
}

/** How far a sum of probabilities may be from 1. */
const sumTolerance = 1e-4;

/**
 * What a network gives that is not known to end in a softmax: probabilities, log-probabilities, or a probability of its own for each class.
 * @param images [n·H·W·C] in [0,1]
 */
export async function outputsOf(loaded: LoadedNetwork, model: Classifier, images: Float32Array, n: number): Promise<Outputs> {
  const offset = loaded.contract.output?.labelOffset ?? 0;
  if (loaded.outputs === "probabilities" || loaded.evidence.bounded !== null || offset > 0) return { kind: null, text: null };
  const x: Images = tf.tensor4d(images, [n, ...model.inputShape]);
  try {
    return kindOfScores(await logitsOf(model, x), model.classes);
  } finally {
    x.dispose();
  }
}

/** @param scores [n·k] */
export function kindOfScores(scores: Float32Array, classes: number): Outputs {
  const rows = Array.from({ length: scores.length / classes }, (_, i) => scores.subarray(i * classes, (i + 1) * classes));
  const sumsTo1 = (value: (score: number) => number): boolean =>
    rows.every((row) => Math.abs(row.reduce((sum, score) => sum + value(score), 0) - 1) <= sumTolerance);
  if (scores.every((score) => score >= 0) && sumsTo1((score) => score))
    return { kind: "probabilities", text: "the outputs are not negative and sum to 1: probabilities" };
  if (scores.every((score) => score <= 0) && sumsTo1(Math.exp)) return { kind: null, text: "the outputs are log-probabilities" };
  if (scores.every((score) => score > 0 && score < 1))
    return { kind: null, text: "every output lies between 0 and 1 and they do not sum to 1: a probability of its own for each class" };
  return { kind: null, text: null };
}

/** A model that gives one class for pictures of several: what a wrong range does. */
export function saturated({ id, predictions }: Scored, labels: Int32Array): ProbeEvidence | null {
  const counts = new Map<number, number>();
  for (const prediction of predictions) counts.set(prediction, (counts.get(prediction) ?? 0) + 1);
  const most = Math.max(0, ...counts.values());
  if (new Set(labels).size < 3 || most <= 0.99 * predictions.length) return null;
  return { strength: "strong", text: `with ${id} the model gives one and the same class for all images` };
}

/** Largest differences of scores between two passes over a batch, and between each image in it and alone. */
export async function repeatedPasses(model: Classifier, images: Float32Array, n: number): Promise<NonNullable<ModelEvidence["measured"]>> {
  const x: Images = tf.tensor4d(images, [n, ...model.inputShape]);
  const rows = tf.split(x, n) as Images[];
  try {
    const [one, two] = [await logitsOf(model, x), await logitsOf(model, x)];
    const alone: number[] = [];
    for (const row of rows) alone.push(...(await logitsOf(model, row)));
    return { passDifference: largestDifference(one, two), batchDifference: largestDifference(one, alone) };
  } finally {
    tf.dispose([x, ...rows]);
  }
}

/** Relative to the largest score, so that a network with large ones is not blamed for its last digits. */
function largestDifference(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [difference, size] = [0, 1];
  for (let i = 0; i < a.length; i++) {
    difference = Math.max(difference, Math.abs((a[i] as number) - (b[i] as number)));
    size = Math.max(size, Math.abs(a[i] as number));
  }
  return difference / size;
}
