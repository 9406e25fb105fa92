import type { LabelReading } from "../../shared/probe.ts";
import { unevenP } from "../metrics/statistics.ts";
import { foundOrder } from "./assignment.ts";
import { plainReadings, type ReadingFacts, readingTexts, readLabels } from "./readings.ts";
import { answersOf, type Passes } from "./score.ts";

/** As small as for a rival of the stage of ranges. */
const level = 0.01;

export interface ReadLabels {
  readonly reading: LabelReading;
  /** What the images are labelled with, as the model counts; of those that a found order was fitted to nothing is left. */
  readonly passes: Passes;
  /** The output of each label of the data; null where that follows from `reading`. */
  readonly outputs: Int32Array | null;
  /** How much better than the labels as they are, in words; null for those. */
  readonly better: string | null;
}

/** Places that a candidate is right at, of the candidate that is right most often. */
function mostHits({ logits, classes }: Passes, labels: Int32Array): Uint8Array {
  const all = logits.map((scores) => answersOf(scores, labels, classes).hits);
  return all.reduce((a, b) => (sumOf(b) > sumOf(a) ? b : a), new Uint8Array(labels.length));
}
const sumOf = (hits: Uint8Array): number => hits.reduce((sum, hit) => sum + hit, 0);

/**
 * The reading of the labels under which some candidate is right most often: the labels as they are, unless another is better beyond chance.
 * An order of the classes that none of the readings knows is looked for where they fail and classes are few.
 */
export function bestReading(passes: Passes, names: readonly string[] | null, isFixed: boolean): ReadLabels {
  const facts: ReadingFacts = { classes: passes.classes, names };
  const plain: ReadLabels = { reading: "identity", passes, outputs: null, better: null };
  if (isFixed || new Set(passes.labels).size < 2) return plain;
  const before = mostHits(passes, passes.labels);
  const others = plainReadings.slice(1).flatMap((reading) => {
    const labels = readLabels(passes.labels, reading, facts);
    return labels ? [{ reading, labels, hits: mostHits(passes, labels) }] : [];
  });
  const n = passes.labels.length;
  const [top] = others.sort((a, b) => sumOf(b.hits) - sumOf(a.hits));
  if (top && isBetter(top.hits, before, level / (2 * plainReadings.length * passes.logits.length))) {
    const better = `read ${readingTexts[top.reading]}, ${sumOf(top.hits)} of ${n} are right, as they are ${sumOf(before)}`;
    return { reading: top.reading, passes: { ...passes, labels: top.labels }, outputs: null, better };
  }
  return assigned(passes) ?? plain;
}

function isBetter(hits: Uint8Array, before: Uint8Array, limit: number): boolean {
  const gained = hits.filter((hit, i) => hit > (before[i] as number)).length;
  const lost = hits.filter((hit, i) => hit < (before[i] as number)).length;
  return gained > lost && unevenP(gained, lost) < limit;
}

function assigned(passes: Passes): ReadLabels | null {
  const order = foundOrder(passes);
  if (!order) return null;
  const { outputs, confirming, hits, plainHits } = order;
  const moved = [...outputs.entries()].filter(([label, output]) => output >= 0 && output !== label);
  const listed = moved.slice(0, 4).map(([label, output]) => `${label} is output ${output}`);
  const more = moved.length > listed.length ? " …" : "";
  const better = `read ${readingTexts.assigned} (${listed.join(", ")}${more}), ${hits} of the other ${confirming.length} are right, as they are ${plainHits}`;
  return { reading: "assigned", passes: confirmed(passes, outputs, confirming), outputs, better };
}

/** The images that confirm an order, labelled by it. */
function confirmed({ classes, logits, labels, met }: Passes, outputs: Int32Array, places: readonly number[]): Passes {
  const rows = (scores: Float32Array): Float32Array => {
    const kept = new Float32Array(places.length * classes);
    for (const [at, i] of places.entries()) kept.set(scores.subarray(i * classes, (i + 1) * classes), at * classes);
    return kept;
  };
  return { classes, met, logits: logits.map(rows), labels: Int32Array.from(places, (i) => outputs[labels[i] as number] as number) };
}

/** Labels of the data as a reading that was found has them. */
export const labelsAs = (labels: Int32Array, { reading, outputs }: ReadLabels, facts: ReadingFacts): Int32Array => {
  if (outputs) return labels.map((label) => outputs[label] as number);
  return (reading === "assigned" ? null : readLabels(labels, reading, facts)) ?? labels;
};

/** Names of the model's classes in its own order, where the data name them and the reading says which is which; null where it does not. */
export function namesInOrder({ reading, outputs }: ReadLabels, names: readonly string[] | null, classes: number): string[] | null {
  if (!names || names.length !== classes || !["alphabet", "assigned"].includes(reading)) return null;
  const labels = Int32Array.from(names, (_, label) => label);
  const places = outputs ?? readLabels(labels, "alphabet", { classes, names }) ?? labels;
  const ordered = Array.from({ length: classes }, (_, output) => names[places.indexOf(output)]);
  return ordered.every((name) => name !== undefined) ? (ordered as string[]) : null;
}
