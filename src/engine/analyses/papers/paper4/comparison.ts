import type { AnalysisTable, ArmReport, Column, TableCell } from "../../../../shared/results.ts";
import type { AnalysedArm, Presentation } from "../../../define/analysis.ts";
import { intervalText } from "../../columns.ts";
import { type DistanceData, meanRatio, rightAt } from "../../minimalDistance.ts";
import { adaptiveOf, dataOf, paperModel, radiusPlace } from "./match.ts";
import {
  adversariallyTrained,
  carliniWagner,
  deepFoolAccuracy,
  deepFoolRatio,
  fgsm,
  models,
  type PaperData,
  radii,
  residues,
} from "./printed.ts";

/** The tables of "Compact Convolution" beside ours, of every arm that is one of its models. */
export function comparison(arms: readonly AnalysedArm[], dataset: string): Presentation {
  const { data, isSame } = dataOf(dataset);
  const reports = arms.map(({ report }) => report);
  const known = reports.flatMap((report) => {
    const found = paperModel(report);
    return found ? [{ report, ...found }] : [];
  });
  const networks = [...new Set(reports.map(({ model }) => model.id))];
  const absent = models.filter((model) => !known.some((one) => one.model === model));
  const plain = known.filter((one) => !one.isAdversarial);
  const trained = known.filter((one) => one.isAdversarial);
  const tables = [
    fgsmTable(plain, false, data),
    lengthTable(plain, data),
    ratioTable(plain, data),
    fgsmTable(trained, true, data),
    distanceTable(plain, data),
  ];
  return {
    title: "Beside the figures of Compact Convolution",
    charts: [],
    tables: tables.filter(({ rows }) => rows.length > 0),
    notes: [
      `Ours: ${networks.join(", ")} on ${dataset}. The paper: its own networks on MNIST and CIFAR-10, 50 and 200 epochs, 10,000 test images.`,
      ...(isSame ? [] : [`The paper has no such data set: its ${data} shows a direction, not a value to be met.`]),
      ...(absent.length > 0 ? [`Models of the paper that no arm is: ${absent.join(", ")}.`] : []),
    ],
  };
}

type Known = { readonly report: ArmReport } & NonNullable<ReturnType<typeof paperModel>>;
const text = (name: string): Column => ({ name, format: "text" });
/** Of a table of accuracies: ours beside the paper's, by the strength of the attack. */
const accuracyColumns = (strength: string): Column[] => [
  text("the paper's model"),
  text(strength),
  { name: "ours", format: "percent" },
  text("95 % interval"),
  { name: "the paper's", format: "percent" },
  { name: "difference", format: "difference" },
  text("our arm"),
];

function fgsmTable(known: readonly Known[], isAdversarial: boolean, data: PaperData): AnalysisTable {
  const printed = (isAdversarial ? adversariallyTrained : fgsm)[data];
  const rowOf = ({ report, model }: Known, place: number, correct: number, n: number): TableCell[][] => {
    const theirs = printed[model]?.[place];
    if (theirs === undefined || n === 0) return [];
    const radius = place === 0 ? "clean" : radiusText(radii[data][place - 1] as number, data);
    return [[model, radius, correct / n, intervalText(correct, n), theirs / 100, correct / n - theirs / 100, report.name]];
  };
  return {
    title: `${isAdversarial ? "Table 4, trained on FGSM images too" : "Tables 1 and 9"}, ${data}: accuracy under FGSM`,
    columns: accuracyColumns("ε"),
    rows: known.flatMap((one) => [
      ...rowOf(one, 0, one.report.clean.correct, one.report.clean.n),
      ...adaptiveOf(one.report).flatMap(({ attack, attacked, n }) => {
        const place = radiusPlace(attack, data);
        return place < 0 ? [] : rowOf(one, place + 1, attacked.correct, n);
      }),
    ]),
  };
}

/** What `minimalDistance` measured with an attack that has no limit of its own. */
const distancesUnder = ({ report }: Known, id: string): DistanceData[] =>
  report.analyses
    .filter((analysis) => analysis.id === "minimalDistance")
    .flatMap(({ data }) => data as readonly DistanceData[])
    .filter(({ summary: { attack } }) => attack.id === id && !attack.params["maxResidueRatio"]);

const lengthTable = (known: readonly Known[], data: PaperData): AnalysisTable => ({
  title: `Table 2, ${data}: accuracy under DeepFool, by the length that a change may have`,
  columns: accuracyColumns("d"),
  rows: known.flatMap((one) =>
    distancesUnder(one, "deepFool").flatMap((found) =>
      residues.flatMap((d, i): TableCell[][] => {
        const theirs = deepFoolAccuracy[data][one.model]?.[i];
        if (theirs === undefined || found.n === 0) return [];
        const right = rightAt(found, d);
        const ours = right / found.n;
        return [[one.model, String(d), ours, intervalText(right, found.n), theirs / 100, ours - theirs / 100, one.report.name]];
      }),
    ),
  ),
});

const ratioTable = (known: readonly Known[], data: PaperData): AnalysisTable => ({
  title: `Table 3, ${data}: mean of DeepFool's change over the image, ρ`,
  columns: [
    text("the paper's model"),
    { name: "ours", format: "number" },
    { name: "the paper's", format: "number" },
    { name: "images", format: "count" },
    text("our arm"),
  ],
  rows: known.flatMap((one) =>
    distancesUnder(one, "deepFool").flatMap((found): TableCell[][] => {
      const theirs = deepFoolRatio[data][one.model];
      return theirs === undefined ? [] : [[one.model, meanRatio(found), theirs, found.images.length + found.wrong.length, one.report.name]];
    }),
  ),
});

const distanceTable = (known: readonly Known[], data: PaperData): AnalysisTable => ({
  title: `Table ${data === "MNIST" ? 11 : 12}, ${data}: mean L2 distance of Carlini & Wagner's attack over its successes`,
  columns: [
    text("the paper's model"),
    { name: "ours", format: "number" },
    { name: "the paper's", format: "number" },
    { name: "our successes", format: "percent" },
    { name: "the paper's successes", format: "percent" },
    { name: "images", format: "count" },
    text("our arm"),
  ],
  rows: known.flatMap((one) =>
    adaptiveOf(one.report).flatMap(({ attack, distances }): TableCell[][] => {
      const [theirs, share] = carliniWagner[data][one.model] ?? [];
      if (attack.id !== "carliniWagner" || !distances || theirs === undefined || share === undefined || distances.of === 0) return [];
      const { mean, found, of } = distances;
      return [[one.model, mean, theirs, found / of, share / 100, of, one.report.name]];
    }),
  ),
});

const radiusText = (radius: number, data: PaperData): string => (data === "MNIST" ? String(radius) : `${Math.round(255 * radius)}/255`);
