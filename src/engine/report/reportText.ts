import type { TextTable } from "../../shared/analysisCell.ts";
import { certifiedColumn, uncertified } from "../../shared/certificate.ts";
import { count, duration, number, percent, plural, points } from "../../shared/format.ts";
import { adaptiveNotes, armLabel, attackLabel, choiceLabel, upperBoundNotes } from "../../shared/labels.ts";
import { keysOf } from "../../shared/ledger.ts";
import { type ArmReport, type AttackSummary, isStaticOnly, type RunReport, type WorstCase, wilson } from "../../shared/results.ts";
import { reachNote } from "../../shared/slices.ts";

/** "61.0–67.3 %": 95 % Wilson interval of `correct` out of `n`. */
export function interval(correct: number, n: number): string {
  const bounds = wilson(correct, n);
  return bounds ? `${points(bounds[0])}–${percent(bounds[1])}` : "–";
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

/** One line of the main table: an attack on an arm, an arm without attacks, or the worst case over those above it. */
interface TableRow {
  readonly arm: ArmReport;
  readonly summary: AttackSummary | null;
  readonly worst?: WorstCase;
}
interface Column {
  readonly head: string;
  cell(row: TableRow): string;
}

function tableRows(report: RunReport): TableRow[] {
  const rows = reportRows(report);
  return report.arms.flatMap((arm): TableRow[] => {
    const { worst } = arm;
    const isOfSeveral = worst && worst.attacks.length > 1;
    return [...rows.filter((row) => row.arm === arm), ...(isOfSeveral ? [{ arm, summary: null, worst }] : [])];
  });
}

/** Arms and attacks; where a defended arm met images that were made without the defence, that accuracy beside the one of the adaptive attack. */
export function mainTable(report: RunReport): TextTable {
  const rows = tableRows(report);
  const columns = columnsOf(rows);
  return { heads: columns.map(({ head }) => head), rows: rows.map((row) => columns.map(({ cell }) => cell(row))) };
}

const hasStatic = (rows: readonly TableRow[]): boolean => rows.some(({ summary }) => summary?.static || summary?.mode === "static");
/** A second undefended network met the static images too. */
const hasControl = (rows: readonly TableRow[]): boolean => rows.some(({ summary }) => summary?.static?.control);
/** β over the attacks that fooled the undefended arm is there only where a defended arm stands beside one. */
const hasFooled = (rows: readonly TableRow[]): boolean => rows.some(({ summary }) => summary?.defenseSuccessOfFooled !== undefined);

/** What is proven of the arms, beside what attacks have found. */
function certifiedColumns(rows: readonly TableRow[]): Column[] {
  const certified = certifiedColumn(rows.map(({ arm }) => arm));
  if (!certified) return [];
  const cell = ({ arm }: TableRow): string => {
    const figure = certified.of(arm);
    return figure ? percent(share(figure.correct, figure.n)) : "–";
  };
  return [{ head: certified.head, cell }];
}
const share = (correct: number, n: number): number | null => (n === 0 ? null : correct / n);

function columnsOf(rows: readonly TableRow[]): Column[] {
  const isSplit = hasStatic(rows);
  const attacked = isSplit ? "Accuracy under attack, adaptive" : "Accuracy under attack";
  return [
    { head: "Arm", cell: ({ arm }) => armLabel(arm) },
    { head: "Attack", cell: attackText },
    { head: "Images", cell: ({ arm, summary, worst }) => count((summary ?? worst ?? arm.clean).n) },
    { head: "Clean accuracy", cell: ({ arm, summary }) => percent((summary ?? arm).clean.accuracy) },
    { head: attacked, cell: (row) => percent(adaptiveOf(row, isSplit)?.correctShare) },
    { head: "95 % interval", cell: (row) => intervalOf(adaptiveOf(row, isSplit)) },
    ...(isSplit
      ? [
          { head: "Accuracy under attack, static", cell: (row: TableRow) => percent(staticOf(row)?.correctShare) },
          { head: "95 % interval", cell: (row: TableRow) => intervalOf(staticOf(row)) },
        ]
      : []),
    ...(hasControl(rows)
      ? [{ head: controlHead, cell: ({ summary }: TableRow) => percent(summary?.static?.control?.attacked.accuracy) }]
      : []),
    ...certifiedColumns(rows),
    { head: "Attack success rate", cell: ({ summary }) => percent(summary?.successRate) },
    { head: "δ", cell: ({ summary }) => points(summary?.robustness) },
    { head: "β", cell: ({ summary }) => percent(summary?.defenseSuccess) },
    ...(hasFooled(rows) ? [{ head: "β of fooled", cell: ({ summary }: TableRow) => percent(summary?.defenseSuccessOfFooled) }] : []),
    { head: "Wrong before attack", cell: ({ summary }) => (summary ? count(summary.n - summary.clean.correct) : "–") },
    { head: "Images/s", cell: ({ summary }) => number(summary?.imagesPerSecond) },
  ];
}

/** Correct predictions of so many. */
interface Counted {
  readonly correct: number;
  readonly n: number;
  readonly correctShare: number | null;
}
const counted = ({ attacked: { correct, accuracy }, n }: Pick<AttackSummary, "attacked" | "n">): Counted => ({
  correct,
  n,
  correctShare: accuracy,
});
const intervalOf = (one: Counted | null): string => (one ? interval(one.correct, one.n) : "–");

function attackText({ arm, summary, worst }: TableRow): string {
  if (summary) return attackLabel(summary);
  if (!worst) return "None";
  return isStaticOnly(arm.attacks) ? "Worst case over all attacks (static only)" : "Worst case over all attacks";
}

const countedWorst = ({ correct, n, accuracy }: WorstCase): Counted => ({ correct, n, correctShare: accuracy });

/** Where a table separates adaptive from static figures, an attack that did not know the defence is not among the adaptive ones, nor is a worst case over such attacks. */
function adaptiveOf({ arm, summary, worst }: TableRow, isSplit: boolean): Counted | null {
  if (worst) return isStaticOnly(arm.attacks) ? null : countedWorst(worst);
  return summary && !(isSplit && summary.mode === "static") ? counted(summary) : null;
}

function staticOf({ arm, summary, worst }: TableRow): Counted | null {
  if (worst) return isStaticOnly(arm.attacks) ? countedWorst(worst) : null;
  if (summary?.static) return counted(summary.static);
  return summary?.mode === "static" ? counted(summary) : null;
}

/** How large the experiment was: a subset is said to be one. */
function sizeNotes(report: RunReport): string[] {
  return report.arms.map((arm) => {
    const { timing } = arm;
    const p95 = timing?.p95Milliseconds === undefined ? "" : ` (95th percentile ${number(timing.p95Milliseconds)})`;
    const without = timing?.networkMilliseconds === undefined ? "" : `, ${number(timing.networkMilliseconds)} ms without the volumizer`;
    const time = timing ? `, ${number(timing.forwardMilliseconds)} ms an image${p95}${without}` : "";
    const trained = originOf(arm, report.arms);
    return `${armLabel(arm)}: ${choiceLabel(arm.model)}, ${trained}, tested on ${plural(arm.clean.n, "image")}${time}`;
  });
}

const sliceNotes = (report: RunReport): string[] =>
  report.arms.flatMap((arm) => {
    const note = arm.slices && reachNote(arm.slices);
    return note ? [`${armLabel(arm)}: ${note}`] : [];
  });

/** Where the arm's network comes from, in words. */
function originOf({ network, training }: ArmReport, arms: readonly ArmReport[]): string {
  const owner = arms.find(({ name }) => name === network);
  if (network !== undefined) return `the network of ${owner ? armLabel(owner) : network}`;
  if (!training) return "taken as it is";
  const { images, epochs, reused, seconds } = training;
  const time = reused ? " (model reused)" : ` in ${duration(seconds)}`;
  return `trained on ${plural(images, "image")} for ${plural(epochs, "epoch")}${time}`;
}

/** "undefended, Adversarial patch, 10.0 % of the image: accuracy 17.0 %, 42.0 % when a plain grey patch is pasted in the same places". */
const coverNotes = (report: RunReport): string[] =>
  reportRows(report).flatMap(({ arm, summary }) => {
    if (!summary?.covering) return [];
    const [own, grey] = [summary, summary.covering].map(({ attacked }) => percent(attacked.accuracy));
    const what = `${armLabel(arm)}, ${attackLabel(summary)}`;
    return [`${what}: accuracy ${own}, ${grey} when a plain grey patch is pasted in the same places`];
  });

/** "volumizer only: no certificate: one slice reaches 4 of 4". */
const certificateNotes = (report: RunReport): string[] =>
  report.arms.flatMap((arm) => {
    const why = uncertified(arm);
    return why === null ? [] : [`${armLabel(arm)}: ${why}`];
  });

/** What is said below the main table, line by line. */
export const notesBelow = (report: RunReport): string[] => [
  ...sizeNotes(report),
  ...sliceNotes(report),
  ...adaptiveNotes(report),
  ...coverNotes(report),
  ...upperBoundNotes(report.arms.flatMap(({ attacks }) => attacks)),
  ...certificateNotes(report),
  ...(report.notes ?? []),
];

export const explainTerms =
  "Arm: a network with its defences. Clean accuracy, accuracy under attack: share of all test images that are classified correctly. Attack success rate: of the images that were classified correctly before the attack, the share on which it succeeded. δ: clean accuracy − accuracy under attack, in percentage points. β: share of correctly classified images that stay correct. A targeted attack has no images of its target class in success rate and β. Wrong before attack: images that were misclassified without an attack; they count against accuracy, not towards the success rate. Intervals: Wilson, 95 %.";
/** The same for a terminal: what its signs stand for. */
export const explainSigns =
  "δ: clean accuracy − accuracy under attack, in percentage points. β: share of correctly classified images that stay correct.";
export const explainStatic =
  "Adaptive: the attack knows the defence and goes through it. Static: the images were made without the defence and only shown to the defended arm; success rate, δ and β are those of the adaptive attack where there is one.";
export const controlHead = "Second undefended network, static";
export const explainControl = `${controlHead}: its accuracy on the same static images; it has no defence and another seed, so a defended arm that scores no higher owes its static figure to the change of network alone.`;
export const explainWorst =
  "Worst case: an image counts as right only when it is classified correctly under every attack, adaptive and static.";
export const explainWorstStatic = "Static only: no adaptive attack was made on the arm, and its worst case says nothing about one.";
export const explainFooled =
  "β of fooled: of the images on which the attack fooled the undefended arm, the share that the defended one classifies correctly under attack.";
/** What the columns of the main table mean. */
export function tableNotes(report: RunReport): string {
  const rows = tableRows(report);
  const certified = certifiedColumn(report.arms);
  return [
    explainTerms,
    ...(hasFooled(rows) ? [explainFooled] : []),
    ...(hasStatic(rows) ? [explainStatic] : []),
    ...(hasControl(rows) ? [explainControl] : []),
    ...(certified ? [certified.meaning] : []),
    ...(rows.some(({ worst }) => worst) ? [explainWorst] : []),
    ...(rows.some(({ arm, worst }) => worst && isStaticOnly(arm.attacks)) ? [explainWorstStatic] : []),
  ].join(" ");
}
