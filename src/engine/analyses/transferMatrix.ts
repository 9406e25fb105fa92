import { Type } from "@sinclair/typebox";
import { attackLabel } from "../../shared/labels.ts";
import type { AnalysisTable, AttackSummary, ImageRecord } from "../../shared/results.ts";
import { type AnalysedArm, type CrossedAttack, defineAnalysis, type FurtherAttack, type Presentation } from "../define/analysis.ts";
import { int, text } from "../define/index.ts";
import { isCorrect } from "../metrics/robustness.ts";
import { pairedP } from "../metrics/statistics.ts";
import { attackNamed } from "./attackNamed.ts";
import { intervalText } from "./columns.ts";

/** One arm under its own attack. */
interface OwnResult {
  readonly key: string;
  readonly summary: Pick<AttackSummary, "attack" | "upperBound">;
  /** Of the images that the analysis looks at. */
  readonly clean: number;
  /** Per image, whether it is classified correctly under the attack; in the order of the images. */
  readonly correct: readonly boolean[];
}

const params = Type.Object({
  attack: text("fgsm", "Attack that makes the images: an id, or the key of one of this experiment's attacks, whose settings are kept."),
  images: int(0, "Only the first so many test images; 0 for all.", { min: 0, unit: "images", standIn: { words: "all", first: 100 } }),
});

/** Paper 4, Tables 7 and 8: accuracy of every arm on the images that an attack made on every other arm. */
export const transferMatrix = defineAnalysis({
  id: "transferMatrix",
  title: "Transfer between networks",
  paper: "Ranjan et al. 2017",
  params,
  isCrossed: true,
  attacks: ({ attack, images }, facts): FurtherAttack[] => {
    const { key, id, params: settings } = attackNamed(attack, facts);
    return [{ id, params: settings, key: images > 0 ? `${key}-first-${images}` : `${key}-crossed`, images }];
  },
  async measure({ further: [own] }): Promise<OwnResult> {
    if (!own) throw new Error("the attack that this analysis asked for was not made");
    const { key, summary, records } = own;
    return { key, summary, clean: summary.clean.correct / summary.n, correct: byIndex(records).map(isCorrect) };
  },
  present: (arms, _, { crossed }) => presentMatrix(arms, crossed),
});

const byIndex = (records: readonly ImageRecord[]): ImageRecord[] => [...records].sort((a, b) => a.index - b.index);
const count = (flags: readonly boolean[]): number => flags.filter(Boolean).length;

/** One arm tested on the images of every arm that made some. */
interface Row {
  readonly name: string;
  readonly own: OwnResult;
  /** By the arm that they were made on; null for one that made none. */
  readonly correct: readonly (readonly boolean[] | null)[];
}

function presentMatrix(arms: readonly AnalysedArm[], crossed: readonly CrossedAttack[]): Presentation {
  const rows = arms.map(({ report: { name }, data }): Row => {
    const own = data as OwnResult;
    const from = (madeOn: string): readonly boolean[] | null => {
      if (madeOn === name) return own.correct;
      const found = crossed.find((one) => one.madeOn === madeOn && one.shownTo === name);
      return found && found.records.length > 0 ? byIndex(found.records).map(isCorrect) : null;
    };
    return { name, own, correct: arms.map(({ report }) => from(report.name)) };
  });
  const names = arms.map(({ report }) => report.name);
  const first = rows[0]?.own;
  const attack = first ? attackLabel(first.summary) : "the attack";
  const n = first?.correct.length ?? 0;
  const beaten = rows.map((row) => beatenBy(row, names));
  return {
    title: `${attack}: images made on one network, shown to another`,
    charts: [],
    figures: [
      {
        kind: "heatmap",
        title: `Accuracy under ${attack}`,
        rows: { label: "tested on", names },
        columns: { label: "crafted on", names },
        value: { label: "accuracy", format: "percent", range: [0, 1] },
        values: rows.map(({ correct }) => correct.map((flags) => (flags ? count(flags) / flags.length : null))),
      },
    ],
    tables: [matrixTable(rows, names, attack), ...(n > 0 ? [worstTable(rows, beaten)] : [])],
    notes: [
      `${n} images. On the diagonal each network meets images made on itself. An image that the network of its column had wrong already is shown unchanged.`,
      ...beaten.flatMap((madeOn, i) =>
        madeOn.length > 0
          ? [
              `${names[i]} ← ${madeOn.join(", ")}: images made there break significantly more than those made on ${names[i]} itself, so accuracy under its own attack is no measure of its robustness (RB302).`,
            ]
          : [],
      ),
    ],
  };
}

const isBroken = (before: boolean, after: boolean): boolean => before && !after;

/** Arms whose images break significantly more of this arm than its own attack does (one-sided, paired, 5 % for each). */
function beatenBy({ name, own, correct }: Row, names: readonly string[]): string[] {
  return names.filter((madeOn, i) => {
    const other = correct[i];
    if (!other || madeOn === name) return false;
    const only = (a: readonly boolean[], b: readonly boolean[]): number => count(a.map((flag, at) => isBroken(b[at] === true, flag)));
    return pairedP(only(other, own.correct), only(own.correct, other)) < 0.05;
  });
}

const matrixTable = (rows: readonly Row[], names: readonly string[], attack: string): AnalysisTable => ({
  title: `Accuracy under ${attack}, by the network that the images were crafted on`,
  columns: [{ name: "tested on", format: "text" }, ...names.map((name) => ({ name, format: "percent" as const }))],
  rows: rows.map(({ name, correct }) => [name, ...correct.map((flags) => (flags ? count(flags) / flags.length : null))]),
});

/** An image counts where no image of any column breaks it. */
function worstTable(rows: readonly Row[], beaten: readonly (readonly string[])[]): AnalysisTable {
  return {
    title: "Own attack and worst case",
    columns: [
      { name: "network", format: "text" },
      { name: "clean", format: "percent" },
      { name: "own attack", format: "percent" },
      { name: "worst of all columns", format: "percent" },
      { name: "95 % interval", format: "text" },
      { name: "beaten by images from", format: "text" },
    ],
    rows: rows.map(({ name, own, correct }, i) => {
      const known = correct.filter((flags) => flags !== null);
      const kept = count(own.correct.map((_, at) => known.every((flags) => flags[at] === true)));
      const n = own.correct.length;
      return [name, own.clean, count(own.correct) / n, kept / n, intervalText(kept, n), beaten[i]?.join(", ") || null];
    }),
  };
}
