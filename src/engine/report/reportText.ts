import type { TextTable } from "../../shared/analysisCell.ts";
import { count, duration, epsilon, number, percent, points } from "../../shared/format.ts";
import { keysOf } from "../../shared/ledger.ts";
import { type ArmReport, type AttackSummary, type Choice, type RunReport, wilson } from "../../shared/results.ts";

/** "61.0–67.3 %": 95 % Wilson interval of `correct` out of `n`. */
export function interval(correct: number, n: number): string {
  const bounds = wilson(correct, n);
  return bounds ? `${points(bounds[0])}–${percent(bounds[1])}` : "–";
}

/** "pgd-40 ε 0.3": the id with what decides its strength. */
export function attackLabel({ id, params }: Choice): string {
  const steps = params["steps"];
  const eps = params["eps"];
  const pixels = params["pixels"];
  const area = params["area"];
  return [
    typeof steps === "number" && area === undefined ? `${id}-${steps}` : id,
    typeof area === "number" ? `${percent(area)} ${String(params["mode"] ?? "")}`.trim() : "",
    typeof eps === "number" ? `ε ${epsilon(eps)}` : "",
    typeof pixels === "number" ? `${pixels} px` : "",
  ]
    .filter((part) => part !== "")
    .join(" ");
}

export interface ReportRow {
  readonly arm: ArmReport;
  readonly summary: AttackSummary | null;
  readonly key: string;
}

/** One row for every arm and attack; one for an arm without attacks. */
export function reportRows(report: RunReport): ReportRow[] {
  return report.arms.flatMap((arm): ReportRow[] => {
    const keys = keysOf(arm);
    if (arm.attacks.length === 0) return [{ arm, summary: null, key: "" }];
    return arm.attacks.map((summary, i) => ({ arm, summary, key: keys[i] as string }));
  });
}

/** β over the attacks that fooled the undefended arm is there only where a defended arm stands beside one. */
const hasFooled = (rows: readonly ReportRow[]): boolean => rows.some(({ summary }) => summary?.defenseSuccessOfFooled !== undefined);

/** Arms and attacks; where a defended arm met the images of the undefended one, that accuracy beside the one of the adaptive attack. */
export function mainTable(report: RunReport): TextTable {
  const rows = reportRows(report);
  const hasStatic = rows.some(({ summary }) => summary?.static);
  const beta = hasFooled(rows) ? ["β", "β of fooled"] : ["β"];
  const attacked = hasStatic ? ["adaptive", "95 % interval", "static", "95 % interval"] : ["attacked", "95 % interval"];
  return {
    heads: ["arm", "attack", "images", "clean", ...attacked, "δ", ...beta, "images/s"],
    rows: report.arms.flatMap((arm) => {
      const attacks = rows.filter((row) => row.arm === arm).map((row) => rowCells(row, hasStatic, hasFooled(rows)));
      return [...attacks, ...worstCells(arm, hasStatic, hasFooled(rows))];
    }),
  };
}

/** A row for the worst case, below the attacks that it is taken over; none where that is a single one. */
function worstCells({ name, clean, worst }: ArmReport, hasStatic: boolean, hasFooled: boolean): string[][] {
  if (!worst || worst.attacks.length < 2) return [];
  const figures = [count(worst.n), percent(clean.accuracy), percent(worst.accuracy), interval(worst.correct, worst.n)];
  const blank = Array.from({ length: (hasStatic ? 5 : 3) + Number(hasFooled) }, () => "–");
  return [[name, "worst case over all attacks", ...figures, ...blank]];
}

function rowCells({ arm, summary }: ReportRow, hasStatic: boolean, hasFooled: boolean): string[] {
  const blank = Array.from({ length: (hasStatic ? 7 : 5) + Number(hasFooled) }, () => "–");
  if (!summary) return [arm.name, "none", count(arm.clean.n), percent(arm.clean.accuracy), ...blank];
  const transferred = summary.static;
  const own = [percent(summary.attacked.accuracy), interval(summary.attacked.correct, summary.n)];
  const other = transferred ? [percent(transferred.attacked.accuracy), interval(transferred.attacked.correct, transferred.n)] : ["–", "–"];
  return [
    arm.name,
    attackLabel(summary.attack),
    count(summary.n),
    percent(summary.clean.accuracy),
    ...(summary.mode === "static" ? ["–", "–", ...(transferred ? other : own)] : [...own, ...(hasStatic ? other : [])]),
    points(summary.robustness),
    percent(summary.defenseSuccess),
    ...(hasFooled ? [percent(summary.defenseSuccessOfFooled)] : []),
    number(summary.imagesPerSecond),
  ];
}

/** How large the experiment was: a subset is said to be one. */
function sizeNotes(report: RunReport): string[] {
  return report.arms.map((arm) => {
    const trained = arm.network
      ? `the network of ${arm.network}`
      : arm.training
        ? `trained on ${count(arm.training.images)} images for ${count(arm.training.epochs)} epochs${arm.training.reused ? " (model reused)" : ` in ${duration(arm.training.seconds)}`}`
        : "taken as it is";
    const { timing } = arm;
    const p95 = timing?.p95Milliseconds === undefined ? "" : ` (95th percentile ${number(timing.p95Milliseconds)})`;
    const without = timing?.networkMilliseconds === undefined ? "" : `, ${number(timing.networkMilliseconds)} ms without the volumizer`;
    const time = timing ? `, ${number(timing.forwardMilliseconds)} ms an image${p95}${without}` : "";
    return `${arm.name}: ${arm.model.id}, ${trained}, tested on ${count(arm.clean.n)} images${time}`;
  });
}

/** "undefended, adversarialPatch 10 % whitebox: 17.0 % right, 42.0 % with a grey patch at the same places", for every patch. */
const coverNotes = (report: RunReport): string[] =>
  reportRows(report).flatMap(({ arm, summary }) => {
    if (!summary?.covering) return [];
    const [own, grey] = [summary, summary.covering].map(({ attacked }) => percent(attacked.accuracy));
    return [`${arm.name}, ${attackLabel(summary.attack)}: ${own} right, ${grey} with a grey patch at the same places`];
  });

/** What is said below the main table, line by line. */
export const notesBelow = (report: RunReport): string[] => [...sizeNotes(report), ...coverNotes(report)];

export const explainTerms =
  "Clean and attacked: share of all test images classified correctly. δ: clean − attacked, in percentage points. β: share of the images that were right before the attack and still are, without those of the class that an attack aims at. Intervals: Wilson, 95 %.";
export const explainStatic =
  "Adaptive: the attack knows the defence and goes through it. Static: the images were made against the undefended arm and only shown to the defended one; δ and β are those of the adaptive attack where there is one.";
export const explainWorst =
  "Worst case: an image counts as right only when it is classified correctly under every attack, adaptive and static.";
export const explainFooled =
  "β of fooled: of the images on which the attack fooled the undefended arm, the share that the defended one has right under attack.";
/** What the columns of the main table mean. */
export function tableNotes(report: RunReport): string {
  const rows = reportRows(report);
  return [
    explainTerms,
    ...(hasFooled(rows) ? [explainFooled] : []),
    ...(rows.some(({ summary }) => summary?.static) ? [explainStatic] : []),
    ...(report.arms.some((arm) => worstCells(arm, false, false).length > 0) ? [explainWorst] : []),
  ].join(" ");
}
