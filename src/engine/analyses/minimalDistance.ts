import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import type { HistogramFigure } from "../../shared/figures/figure.ts";
import { number, parameterLabel } from "../../shared/format.ts";
import { attackLabel } from "../../shared/labels.ts";
import type { AnalysisChart, AnalysisTable, AttackSummary, ImageRecord, Norm, TableCell } from "../../shared/results.ts";
import {
  type AnalysedArm,
  type AnalysedAttack,
  type AnalysisSubject,
  defineAnalysis,
  type FurtherAttack,
  type Presentation,
} from "../define/analysis.ts";
import { batchesOf } from "../evaluation/batches.ts";
import { quantile } from "../metrics/quantiles.ts";
import { isCleanCorrect } from "../metrics/robustness.ts";
import { point } from "./columns.ts";

/** What one attack that looks for the smallest change found on one arm. Images in the order of the test set. */
export interface DistanceData {
  readonly attack: string;
  readonly summary: Pick<AttackSummary, "attack" | "label">;
  readonly norm: Norm;
  /** Test images. */
  readonly n: number;
  /** Of images that were classified correctly. */
  readonly images: readonly ImageDistance[];
  /** Of the others, attacked away from the predicted class. */
  readonly wrong: readonly ImageDistance[];
}
interface ImageDistance {
  readonly distance: number;
  /** ‖x' − x‖₂ / ‖x‖₂; null for a black image. */
  readonly ratio: number | null;
  readonly isFooled: boolean;
}

const params = Type.Object({
  ratios: Type.Array(Type.Number({ exclusiveMinimum: 0 }), {
    default: [0.1, 0.2, 0.3, 0.4, 0.5],
    description: "Lengths of a change as shares of the image's own length, at which accuracy is read off.",
  }),
  bins: Type.Integer({ default: 20, minimum: 2, maximum: 100, description: "Bins of the histogram." }),
});

/**
 * How far images are from the decision boundary, by the attacks of the experiment that look for the smallest change: the distances
 * (paper 4, Tables 11 and 12), their mean share of the image's length ρ (Table 3), and accuracy where a change may have a share d of it
 * (Table 2). One attack without a limit gives every d: an image that it fools with a ratio up to d counts as wrong there.
 */
export const minimalDistance = defineAnalysis({
  id: "minimalDistance",
  title: "Distance to the decision boundary",
  paper: "Ranjan et al. 2017",
  params,
  check({ ratios }, { attacks }) {
    if (!attacks.some(({ minimizes }) => minimizes))
      throw new BulwarkError(
        "EXPERIMENT_INVALID",
        "minimalDistance is about attacks that look for the smallest change, and the experiment has none.",
        'Add {"kind": "deepFool"} or {"kind": "carliniWagner"} to "attacks".',
      );
    if (ratios.length === 0 || new Set(ratios).size < ratios.length)
      throw new BulwarkError(
        "PARAMETER_INVALID",
        "minimalDistance: ratios must hold each value once, and at least one.",
        "Write for example [0.1, 0.2, 0.3].",
      );
  },
  attacks: (_, { attacks }) =>
    attacks
      .filter(({ minimizes }) => minimizes)
      .map(({ id, params: own, key }): FurtherAttack => ({ id, params: own, key: wrongKey(key), images: 0, wrongOnly: true })),
  async measure(subject, _, ctx): Promise<DistanceData[]> {
    const found = subject.attacks.filter(({ summary }) => summary.distances && summary.mode !== "static");
    const lengths = await lengthsOf(subject, () => ctx.checkpoint());
    const wrongOf = ({ key }: AnalysedAttack) => subject.further.find((one) => one.key === wrongKey(key))?.records ?? [];
    return found.map((attack) => dataOf(attack, wrongOf(attack), lengths));
  },
  present: (arms, { ratios, bins }) =>
    presentDistances(
      arms,
      [...ratios].sort((a, b) => a - b),
      bins,
    ),
});

/** Name of the same attack on the images that an arm has wrong. */
const wrongKey = (key: string): string => `${key}-wrong`;

/** ‖x‖₂ of every clean image, on pixels in [0,1]. */
async function lengthsOf({ images }: AnalysisSubject, checkpoint: () => Promise<void>): Promise<number[]> {
  const clean = images(null);
  const lengths: number[] = [];
  for (const [start, end] of batchesOf(clean.n, 100)) {
    const { images: pixels, n } = await clean.read(start, end);
    const size = pixels.length / n;
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let k = i * size; k < (i + 1) * size; k++) sum += (pixels[k] as number) ** 2;
      lengths.push(Math.sqrt(sum));
    }
    await checkpoint();
  }
  return lengths;
}

function dataOf({ key, summary, records }: AnalysedAttack, wrong: readonly ImageRecord[], lengths: readonly number[]): DistanceData {
  const norm = summary.distances?.norm ?? "l2";
  const imageOf = (record: ImageRecord): ImageDistance => {
    const length = lengths[record.index] ?? 0;
    return { distance: record[norm], ratio: length > 0 ? record.l2 / length : null, isFooled: record.success };
  };
  const { attack, label } = summary;
  return {
    attack: key,
    summary: { attack, ...(label === undefined ? {} : { label }) },
    norm,
    n: records.length,
    images: records.filter(isCleanCorrect).map(imageOf),
    wrong: wrong.filter(isCleanCorrect).map(imageOf), // those that were attacked are labelled as they were predicted
  };
}

/** Images of `n` that are right where a change may have `ratio` of the image's length. */
export const rightAt = ({ images }: DistanceData, ratio: number): number =>
  images.filter((image) => !image.isFooled || image.ratio === null || image.ratio > ratio).length;

/** Mean ratio over the images that have one, right or wrong before, fooled or not: ρ of Moosavi-Dezfooli et al. 2016, eq. 15. */
export function meanRatio({ images, wrong }: DistanceData): number | null {
  const ratios = [...images, ...wrong].flatMap(({ ratio }) => (ratio === null ? [] : [ratio]));
  return ratios.length === 0 ? null : ratios.reduce((a, b) => a + b, 0) / ratios.length;
}

interface Line {
  readonly arm: string;
  readonly data: DistanceData;
}

function presentDistances(arms: readonly AnalysedArm[], ratios: readonly number[], bins: number): Presentation {
  const lines = arms.flatMap(({ report: { name }, data }) =>
    (data as readonly DistanceData[]).map((one): Line => ({ arm: name, data: one })),
  );
  const keys = [...new Set(lines.map(({ data }) => data.attack))];
  const groups = keys.map((key) => lines.filter(({ data }) => data.attack === key));
  const black = lines.some(({ data }) => data.images.some(({ ratio }) => ratio === null));
  return {
    title: "How far it is to the decision boundary",
    charts: groups.map((group) => accuracyChart(group, ratios)),
    figures: groups.flatMap((group) => histogramOf(group, bins)),
    tables: [distanceTable(lines), accuracyTable(lines, ratios)],
    notes: [
      "Distances are those of images that were classified correctly and that the attack fooled. ρ is the mean of change over image (both L2) over all images, each away from its predicted class.",
      "Accuracy at d: an image counts as wrong where it was wrong without an attack, or was fooled by a change of at most d times its own length. An attack that stops at a limit of its own says nothing beyond it.",
      ...(black ? ["A black image has no length: it has no ratio and counts as right at every d."] : []),
    ],
  };
}

const titleOf = ([first]: readonly Line[]): string => (first ? attackLabel(first.data.summary) : "");

const accuracyChart = (group: readonly Line[], ratios: readonly number[]): AnalysisChart => ({
  title: `Accuracy over the length of the change, ${titleOf(group)}`,
  x: { label: "d: length of the change over that of the image (L2)", format: "number" },
  y: { label: "accuracy", format: "percent", range: [0, 1] },
  series: group.map(({ arm, data }, colour) => ({ label: arm, colour, points: ratios.map((d) => point(d, rightAt(data, d), data.n)) })),
});

const distancesOf = ({ data }: Line): number[] => data.images.filter(({ isFooled }) => isFooled).map(({ distance }) => distance);

function histogramOf(group: readonly Line[], bins: number): HistogramFigure[] {
  const most = Math.max(0, ...group.map((line) => Math.max(0, ...distancesOf(line))));
  if (most === 0) return [];
  const edges = Array.from({ length: bins + 1 }, (_, i) => (i * most) / bins);
  const countsOf = (values: readonly number[]): number[] => {
    const counts = new Array<number>(bins).fill(0);
    for (const value of values) {
      const bin = Math.min(bins - 1, Math.floor((value / most) * bins));
      counts[bin] = (counts[bin] as number) + 1;
    }
    return counts;
  };
  return [
    {
      kind: "histogram",
      title: `Distances, ${titleOf(group)}`,
      x: {
        label: `${parameterLabel((group[0] as Line).data.norm)} distance, in units of [0,1] pixels`,
        format: "number",
      },
      y: { label: "images", format: "count" },
      edges,
      series: group.map((line, colour) => ({ label: line.arm, colour, counts: countsOf(distancesOf(line)) })),
    },
  ];
}

const distanceTable = (lines: readonly Line[]): AnalysisTable => ({
  title: "Distances",
  columns: [
    { name: "network", format: "text" },
    { name: "attack", format: "text" },
    { name: "fooled", format: "count" },
    { name: "of", format: "count" },
    { name: "mean distance", format: "number" },
    { name: "median distance", format: "number" },
    { name: "ρ", format: "number" },
  ],
  rows: lines.map((line): TableCell[] => {
    const distances = distancesOf(line);
    const mean = distances.length === 0 ? null : distances.reduce((a, b) => a + b, 0) / distances.length;
    const { images } = line.data;
    return [
      line.arm,
      attackLabel(line.data.summary),
      distances.length,
      images.length,
      mean,
      quantile(distances, 0.5),
      meanRatio(line.data),
    ];
  }),
});

const accuracyTable = (lines: readonly Line[], ratios: readonly number[]): AnalysisTable => ({
  title: "Accuracy by the length that a change may have",
  columns: [
    { name: "network", format: "text" },
    { name: "attack", format: "text" },
    ...ratios.map((d) => ({ name: `d = ${number(d)}`, format: "percent" as const })),
  ],
  rows: lines.map(({ arm, data }): TableCell[] => [
    arm,
    attackLabel(data.summary),
    ...ratios.map((d) => (data.n === 0 ? null : rightAt(data, d) / data.n)),
  ]),
});
