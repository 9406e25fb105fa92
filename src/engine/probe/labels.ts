import type { LabelReading } from "../../shared/probe.ts";
import { pairP, type Scored } from "./decide.ts";
import { type Passes, readLabels, scored } from "./score.ts";

const readings: readonly LabelReading[] = ["identity", "plusOne", "minusOne", "textOrder"];
/** As small as for a rival of the stage of ranges. */
const level = 0.01;

export const readingTexts: Readonly<Record<LabelReading, string>> = {
  identity: "as they are",
  plusOne: "one further on, as for a model whose first output is a background class",
  minusOne: "one back, as labels counted from 1",
  textOrder: "in the order of their numbers as text (0, 1, 10, 11, 2 …)",
};

export interface ReadLabels {
  readonly reading: LabelReading;
  readonly labels: Int32Array;
  readonly scored: readonly Scored[];
  /** How much better than the labels as they are, in words; null for those. */
  readonly better: string | null;
}

const hitsOf = ({ hits }: Scored): number => hits.reduce((sum, hit) => sum + hit, 0);

/** The reading of the labels under which some candidate is right most often: the labels as they are, unless another is better beyond chance. */
export function bestReading(ids: readonly string[], passes: Passes, isFixed: boolean): ReadLabels {
  const { classes, logits } = passes;
  const read = (reading: LabelReading): ReadLabels | null => {
    const labels = readLabels(passes.labels, reading, classes);
    return labels && { reading, labels, scored: ids.map((id, i) => scored(id, logits[i] as Float32Array, labels, classes)), better: null };
  };
  const plain = read("identity");
  const others = (isFixed ? [] : readings.slice(1)).map(read).filter((one) => one !== null);
  const most = (one: ReadLabels): Scored => one.scored.reduce((a, b) => (hitsOf(b) > hitsOf(a) ? b : a));
  if (!plain) return { reading: "identity", labels: passes.labels, scored: [], better: null };
  const [top] = others.sort((a, b) => hitsOf(most(b)) - hitsOf(most(a)));
  if (!top || passes.labels.length === 0 || hitsOf(most(top)) <= hitsOf(most(plain))) return plain;
  const [better, worse] = [most(top), most(plain)];
  if (pairP(better, worse) >= level / (2 * readings.length * ids.length)) return plain;
  const n = passes.labels.length;
  return { ...top, better: `read ${readingTexts[top.reading]}, ${hitsOf(better)} of ${n} are right, as they are ${hitsOf(worse)}` };
}
