import { number } from "../../../../shared/format.ts";
import type { AnalysisTable, ArmReport, AttackSummary, Choice, Column, DetectedAttack, TableCell } from "../../../../shared/results.ts";
import type { AnalysedArm, Presentation } from "../../../define/analysis.ts";
import { intervalText } from "../../columns.ts";
import { attacks, bimSteps, type PaperAttack, type PaperData, type PaperRow, settings, table2, table3 } from "./printed.ts";

/** Tables 2 and 3 of "Efficient Randomized Defense" beside ours, of every arm: accuracy under three attacks, and what each detector makes of them. */
export function comparison(arms: readonly AnalysedArm[], dataset: string): Presentation {
  const { data, isSame } = dataOf(dataset);
  const reports = arms.map(({ report }) => report);
  const { eps, stepSize } = settings[data];
  const models = [...new Set(reports.map(({ model }) => model.id))];
  const absent = table3.flatMap(([row]) => (reports.some((report) => detectorOf(row, report)) ? [] : [row.name]));
  return {
    title: "Beside the figures of Efficient Randomized Defense",
    charts: [],
    tables: [accuracyTable(reports, data), areaTable(reports, data)].filter(({ rows }) => rows.length > 0),
    notes: [
      `Ours: ${models.join(", ")} on ${dataset}. The paper: networks of Feinman et al. 2017 on MNIST, SVHN and CIFAR-10, 100 passes.`,
      ...(isSame ? [] : [`The paper has no such data set: its ${data} shows a direction, not a value to be met.`]),
      `Attacks as in Feinman et al.: ε ${number(eps)}; BIM-A with ${bimSteps} steps of ${number(stepSize)}; JSMA towards a random class, a tenth of the features.`,
      "The paper's attacks know nothing of a detector. Ours are static in the same way; those that also keep the detector's surrogate small are adaptive, and what they leave is what a detector is worth.",
      ...(absent.length > 0 ? [`Rows of the paper that no detector of this experiment is: ${absent.join("; ")}.`] : []),
    ],
  };
}

/** The block of the tables that is nearest to a data set, and whether it is that data set. */
function dataOf(dataset: string): { readonly data: PaperData; readonly isSame: boolean } {
  if (dataset === "mnist") return { data: "MNIST", isSame: true };
  if (dataset === "svhn") return { data: "SVHN", isSame: true };
  return dataset === "fashionMnist" ? { data: "MNIST", isSame: false } : { data: "CIFAR", isSame: dataset === "cifar10" };
}

const isAbout = (value: unknown, printed: number): boolean => Math.abs(Number(value) - printed) < 1e-4;

/** Which attack of the paper one is, with the paper's settings; null for another. */
function paperAttack({ id, params }: Choice, data: PaperData): PaperAttack | null {
  if (id === "jsma") {
    const { theta, gamma, target } = params;
    return isAbout(theta, 1) && isAbout(gamma, 0.1) && target === "random" ? "JSMA" : null;
  }
  const { eps, stepSize } = settings[data];
  const { norm = "linf", target = -1, loss = "crossEntropy", momentum = 0 } = params;
  const isPlain = isAbout(params["eps"], eps) && norm === "linf" && target === -1 && loss === "crossEntropy" && momentum === 0;
  if (id === "fgsm") return isPlain ? "FGSM" : null;
  const isBim = id === "bim" && params["retire"] === true && params["steps"] === bimSteps && isAbout(params["stepSize"], stepSize);
  return isPlain && isBim ? "BIM-A" : null;
}

/** Attacks on an arm that know its defence, where it has one. */
const meantBy = (name: PaperAttack, { attacks: made }: ArmReport, data: PaperData): AttackSummary[] =>
  made.filter(({ attack, mode }) => mode !== "static" && paperAttack(attack, data) === name);

const text = (name: string): Column => ({ name, format: "text" });
const area = (name: string): Column => ({ name, format: "number" });

function accuracyTable(reports: readonly ArmReport[], data: PaperData): AnalysisTable {
  const row = (report: ArmReport, name: PaperAttack | "clean", correct: number, n: number, attack: string | null): TableCell[] => {
    const printed = table2[data][name] / 100;
    return [
      name,
      n === 0 ? null : correct / n,
      intervalText(correct, n),
      printed,
      n === 0 ? null : correct / n - printed,
      attack,
      report.name,
    ];
  };
  return {
    title: `Table 2, ${data}: accuracy`,
    columns: [
      text("attack"),
      { name: "ours", format: "percent" },
      text("95 % interval"),
      { name: "the paper's", format: "percent" },
      { name: "difference", format: "difference" },
      text("our attack"),
      text("our arm"),
    ],
    rows: reports.flatMap((report) => [
      row(report, "clean", report.clean.correct, report.clean.n, null),
      ...attacks.flatMap((name) =>
        meantBy(name, report, data).map(({ attacked, n, attack, label = attack.id }) => row(report, name, attacked.correct, n, label)),
      ),
    ]),
  };
}

/** The arm's detector with the parameters that the row names. */
const detectorOf = ({ detector }: PaperRow, { detectors }: ArmReport) =>
  detectors.find(
    ({ id, params }) => id === detector.id && Object.entries(detector.params).every(([name, value]) => params[name] === value),
  );

const intervalOf = (found: DetectedAttack | undefined): string | null =>
  found?.interval ? found.interval.map((bound) => bound.toFixed(3)).join("–") : null;

function areaTable(reports: readonly ArmReport[], data: PaperData): AnalysisTable {
  return {
    title: `Table 3, ${data}: area under the ROC curve`,
    columns: [
      text("the paper's row"),
      text("attack"),
      area("ours"),
      text("95 % interval"),
      area("the paper's"),
      area("difference"),
      area("ours, adaptive"),
      text("95 % interval, adaptive"),
      { name: "adaptive, that fool it", format: "count" },
      area("area over those"),
      text("our attack"),
      text("our arm"),
    ],
    rows: reports.flatMap((report) =>
      table3.flatMap(([row, printed]) =>
        attacks.flatMap((name, i) => areaRows({ report, row, name, printed: printed[data][i] as number, data })),
      ),
    ),
  };
}

interface AreaPlace {
  readonly report: ArmReport;
  readonly row: PaperRow;
  readonly name: PaperAttack;
  readonly printed: number;
  readonly data: PaperData;
}
/** One for each of the arm's attacks that is the paper's. */
const areaRows = ({ report, row, name, printed, data }: AreaPlace): TableCell[][] =>
  meantBy(name, report, data).flatMap(({ attack, key, label = attack.id }): TableCell[][] => {
    const results = detectorOf(row, report)?.results.filter((result) => result.attack === (key ?? attack.id)) ?? [];
    const [plain, evading] = [false, true].map((adaptive) => results.find((result) => result.adaptive === adaptive));
    if (!plain) return [];
    const difference = plain.auc === null ? null : plain.auc - printed;
    const ours = [plain.auc, intervalOf(plain), printed, difference, evading?.auc ?? null, intervalOf(evading)];
    const { n = null, auc = null } = evading?.fooling ?? {};
    return [[row.name, name, ...ours, n, auc, label, report.name]];
  });
