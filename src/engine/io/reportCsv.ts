import type { RunReport } from "../../shared/results.ts";
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
];

/** `report.csv`: one row for every arm and attack, rates in [0,1], empty where there was nothing to count (RFC 4180). */
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
  ]);
  return [heads, ...rows].map((cells) => `${cells.map(cell).join(",")}\r\n`).join("");
}

function cell(value: string | number | null | undefined): string {
  const text = value === null || value === undefined ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
