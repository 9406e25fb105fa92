import { csvText, figureData } from "../../shared/figures/data.ts";
import { attackLabel } from "../../shared/labels.ts";
import { type ArmReport, isStaticOnly, type RunReport } from "../../shared/results.ts";
import { reportRows } from "./reportText.ts";

const heads = [
  "arm",
  "defense",
  "attack",
  "params",
  "n",
  "clean_accuracy",
  "attacked_accuracy",
  "success_rate",
  "defense_success",
  "robustness",
  "linf_mean",
  "l2_mean",
  "l0_mean",
  "seconds",
  "images_per_second",
  "mode",
  "static_attacked_accuracy",
  "static_defense_success",
  "defense_success_of_fooled",
  "static_defense_success_of_fooled",
  "covering_attacked_accuracy",
  "forward_evaluations",
  "gradient_evaluations",
  "worst_accuracy",
  "worst_low",
  "worst_high",
  "attack_label",
  "wrong_before_attack",
  "how",
  "worst_mode",
  "static_control_accuracy",
  "certified_accuracy",
  "certified_slices",
];

/** `static` where no adaptive attack contributed to the worst case; empty where no attack had a defence to know, as in `mode`. */
function worstMode({ attacks, worst }: ArmReport): string {
  if (!worst) return "";
  if (isStaticOnly(attacks)) return "static";
  return attacks.some(({ mode }) => mode === "adaptive") ? "adaptive" : "";
}

/** Share of certified and right images, and the number of slices; empty without a certificate. */
function certified({ certificate }: ArmReport): (number | null)[] {
  const first = certificate && "images" in certificate ? certificate.slices[0] : undefined;
  if (!first || first.correct === null || !certificate || !("n" in certificate) || certificate.n === 0) return [null, null];
  return [first.correct / certificate.n, first.slices];
}

/** `report.csv`: one row for every arm and attack (the worst case is the arm's), rates in [0,1], empty where there was nothing to count (RFC 4180). */
export function renderCsv(report: RunReport): string {
  const rows = reportRows(report).map(({ arm, summary, key }) => [
    arm.name,
    arm.defense.id,
    key,
    summary ? JSON.stringify(summary.attack.params) : "",
    summary?.n ?? arm.clean.n,
    arm.clean.accuracy,
    summary?.attacked.accuracy,
    summary?.successRate,
    summary?.defenseSuccess,
    summary?.robustness,
    summary?.norms.linf.mean,
    summary?.norms.l2.mean,
    summary?.norms.l0.mean,
    summary?.seconds,
    summary?.imagesPerSecond,
    summary?.mode,
    summary?.static?.attacked.accuracy,
    summary?.static?.defenseSuccess,
    summary?.defenseSuccessOfFooled,
    summary?.static?.defenseSuccessOfFooled,
    summary?.covering?.attacked.accuracy,
    summary?.forwardEvaluations,
    summary?.gradientEvaluations,
    arm.worst?.accuracy,
    arm.worst?.interval?.[0],
    arm.worst?.interval?.[1],
    summary && attackLabel(summary),
    summary && summary.n - summary.clean.correct,
    summary?.how,
    worstMode(arm),
    summary?.static?.control?.attacked.accuracy,
    ...certified(arm),
  ]);
  return csvText([heads, ...rows]);
}

/** `analyses.csv`: every cell of every table, every point of every chart, every value of the other figures, one to a row; shares in [0,1]. */
export function renderAnalysesCsv(report: RunReport): string {
  const rows = (report.analyses ?? []).flatMap((analysis) => [
    ...analysis.tables.flatMap(({ title, columns, rows: cells }) =>
      cells.flatMap((row, i) => columns.map(({ name }, k) => [analysis.title, "table", title, i + 1, name, row[k], null, null])),
    ),
    ...analysis.charts.flatMap(({ title, series }) =>
      series.flatMap(({ label, points }) => points.map(({ x, y, low, high }) => [analysis.title, "chart", title, label, x, y, low, high])),
    ),
    ...(analysis.figures ?? []).flatMap((figure) => {
      const { heads: names, rows: cells } = figureData(figure);
      return cells.flatMap((row, i) => names.map((name, k) => [analysis.title, "figure", figure.title, i + 1, name, row[k], null, null]));
    }),
  ]);
  return csvText([["analysis", "part", "title", "row_or_line", "column_or_x", "value", "low", "high"], ...rows]);
}
