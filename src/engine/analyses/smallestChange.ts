import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import type { HistogramFigure } from "../../shared/figures/figure.ts";
import type { AnalysisChart, AnalysisTable, Choice, Column, TableCell } from "../../shared/results.ts";
import { type AnalysedArm, type AnalysisSubject, defineAnalysis, type ExperimentFacts, type FurtherAttack } from "../define/analysis.ts";
import { int, text } from "../define/index.ts";
import { quantile } from "../metrics/quantiles.ts";
import { accuracyAt, meanRatio, type Residue } from "../metrics/residue.ts";

/** What is kept of an arm. */
interface Measured {
  readonly n: number;
  readonly rho: number | null;
  /** Images whose prediction did not change, and black ones, which ρ leaves out. */
  readonly notFooled: number;
  readonly black: number;
  /** Accuracy at each ratio. */
  readonly accuracies: readonly (number | null)[];
  /** L2 of the images that were right and were fooled, of `right` that were right. */
  readonly distances: readonly number[];
  readonly right: number;
}
const measuredOf = ({ data }: Pick<AnalysedArm, "data">): Measured => data as Measured;

const params = Type.Object({
  attack: text(
    "deepFool",
    "An attack that looks for the smallest change: an id, or the key of one of this experiment's, whose settings are kept.",
  ),
  ratios: Type.Array(Type.Number({ minimum: 0 }), {
    default: [0.1, 0.2, 0.3, 0.4, 0.5],
    description: "Lengths of a change, as shares of the image's length, at which accuracy is read.",
  }),
  images: int(0, "Only the first so many test images; 0 for all.", { min: 0, unit: "images", standIn: { words: "all", first: 100 } }),
});

/**
 * How far images are from another class: distances as a histogram, ρ_adv, and accuracy over the residue ratio, all from one run against the
 * model's own predictions, so that images that are wrong before count in ρ too. Paper 4, Tables 2 and 3, Figure of distances.
 */
export const smallestChange = defineAnalysis({
  id: "smallestChange",
  title: "Smallest adversarial change",
  paper: "Ranjan et al. 2017",
  params,
  check({ attack, ratios }, facts) {
    const { id } = baseOf(attack, facts);
    if (facts.minimizes(id) !== "l2")
      throw invalid(`${id} does not look for the smallest change in L2`, 'Use "deepFool" or "carliniWagner".');
    if (ratios.length === 0 || new Set(ratios).size < ratios.length)
      throw invalid("ratios must hold each value once, and at least one", "Write for example [0.1, 0.2, 0.5].");
  },
  attacks({ attack, images }, facts): FurtherAttack[] {
    const { id, params: own, key } = baseOf(attack, facts);
    const name = [key, "of-predictions", ...(images > 0 ? [`first-${images}`] : [])].join("-");
    return [{ id, params: own, key: name, images, labels: "predicted" }];
  },
  measure: (subject, { ratios }) => measure(subject, ratios),
  present(arms, { attack, ratios }, facts) {
    const name = facts.attackTitle(baseOf(attack, facts).id);
    return {
      title: `Smallest change that ${name} finds`,
      charts: [chartOf(arms, ratios)],
      figures: histogramOf(arms),
      tables: [distanceTable(arms), accuracyTable(arms, ratios)],
      notes: [
        "ρ is the mean of the change's length over the image's, for all images and away from the predicted class; an image that was not fooled counts with its last change, a black one not at all.",
        "Distances are over the images that were classified correctly and were fooled. Accuracy at a ratio counts the images that were right and have no smaller change.",
      ],
    };
  },
});

const invalid = (message: string, fix: string): BulwarkError => new BulwarkError("PARAMETER_INVALID", `smallestChange: ${message}.`, fix);

/** The experiment's attack of that name, or the one of that id with its defaults. */
function baseOf(name: string, facts: ExperimentFacts): Choice & { readonly key: string } {
  const own = facts.attacks.find(({ key, id }) => key === name || id === name);
  if (own) return own;
  facts.attackParams(name); // UNKNOWN_ID when there is none
  return { id: name, params: {}, key: name };
}

const together = 100;

async function measure(subject: AnalysisSubject, ratios: readonly number[]): Promise<Measured> {
  const records = subject.further[0]?.records ?? [];
  const images = subject.images(null);
  const residues: Residue[] = [];
  const distances: number[] = [];
  for (let start = 0; start < records.length; start += together) {
    const batch = await images.read(start, Math.min(start + together, records.length));
    const size = batch.images.length / batch.n;
    for (let i = 0; i < batch.n; i++) {
      const record = records[start + i];
      if (!record) continue;
      const length = Math.sqrt(batch.images.subarray(i * size, (i + 1) * size).reduce((sum, value) => sum + value * value, 0));
      const [isRight, isFooled] = [record.cleanPrediction === batch.labels[i], record.success];
      residues.push({ ratio: length > 0 ? record.l2 / length : null, isFooled, isRight });
      if (isRight && isFooled) distances.push(record.l2);
    }
  }
  const count = (test: (residue: Residue) => boolean): number => residues.filter(test).length;
  return {
    n: residues.length,
    rho: meanRatio(residues),
    notFooled: count(({ isFooled }) => !isFooled),
    black: count(({ ratio }) => ratio === null),
    accuracies: ratios.map((d) => accuracyAt(residues, d)),
    distances,
    right: count(({ isRight }) => isRight),
  };
}

function distanceTable(arms: readonly AnalysedArm[]): AnalysisTable {
  const columns: Column[] = [
    { name: "arm", format: "text" },
    { name: "images", format: "count" },
    { name: "ρ", format: "number" },
    { name: "not fooled", format: "count" },
    { name: "success", format: "percent" },
    { name: "mean L2", format: "number" },
    { name: "median L2", format: "number" },
  ];
  const rows = arms.map((arm): TableCell[] => {
    const { n, rho, notFooled, distances, right } = measuredOf(arm);
    const mean = distances.length === 0 ? null : distances.reduce((sum, distance) => sum + distance, 0) / distances.length;
    return [arm.report.name, n, rho, notFooled, right === 0 ? null : distances.length / right, mean, quantile(distances, 0.5)];
  });
  return { title: "Distances", columns, rows };
}

const accuracyTable = (arms: readonly AnalysedArm[], ratios: readonly number[]): AnalysisTable => ({
  title: "Accuracy over the residue ratio",
  columns: [{ name: "arm", format: "text" }, ...ratios.map((d): Column => ({ name: `d ${d}`, format: "percent" }))],
  rows: arms.map((arm): TableCell[] => [arm.report.name, ...measuredOf(arm).accuracies]),
});

const chartOf = (arms: readonly AnalysedArm[], ratios: readonly number[]): AnalysisChart => ({
  title: "Accuracy over the residue ratio",
  x: { label: "length of the change, as a share of the image's", format: "number" },
  y: { label: "accuracy", format: "percent", range: [0, 1] },
  series: arms.map((arm, colour) => ({
    label: arm.report.name,
    colour,
    points: ratios.map((x, i) => ({ x, y: measuredOf(arm).accuracies[i] ?? null })).sort((a, b) => a.x - b.x),
  })),
});

const bins = 20;

/** Distances of all arms over the same bins; none where nothing was fooled. */
function histogramOf(arms: readonly AnalysedArm[]): HistogramFigure[] {
  const most = arms.reduce((max, arm) => measuredOf(arm).distances.reduce((a, b) => Math.max(a, b), max), 0);
  if (most === 0) return [];
  const counts = (distances: readonly number[]): number[] => {
    const all = new Array<number>(bins).fill(0);
    for (const distance of distances) (all[Math.min(bins - 1, Math.floor((bins * distance) / most))] as number)++;
    return all;
  };
  return [
    {
      kind: "histogram",
      title: "Distance to the nearest adversarial image found",
      x: { label: "L2 of the change", unit: "images in 0…1", format: "number" },
      y: { label: "images", format: "count" },
      edges: Array.from({ length: bins + 1 }, (_, i) => (i * most) / bins),
      series: arms.map((arm, colour) => ({ label: arm.report.name, colour, counts: counts(measuredOf(arm).distances) })),
    },
  ];
}
