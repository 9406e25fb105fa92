import { percent, points } from "../../shared/format.ts";
import { attackLabel } from "../../shared/labels.ts";
import { keysOf } from "../../shared/ledger.ts";
import { type ArmReport, type AttackSummary, type Column, type TableCell, wilson } from "../../shared/results.ts";
import type { AnalysedArm } from "../define/analysis.ts";

/** Every attack by its key, in the order of the first arm that has it. */
export function attackNames(arms: readonly ArmReport[]): string[] {
  return [...new Set(arms.flatMap(keysOf))];
}

export function summaryOf(arm: ArmReport, key: string): AttackSummary | null {
  return arm.attacks[keysOf(arm).indexOf(key)] ?? null;
}

/** What readers know the attack by: "8-pixel attack". */
export const labelOf = (arms: readonly ArmReport[], key: string): string => {
  const summary = arms.map((arm) => summaryOf(arm, key)).find((found) => found !== null);
  return summary ? attackLabel(summary) : key;
};

/** Clean accuracy and, for every attack, accuracy under the adaptive and under the static attack (where one arm has it). */
export function accuracyColumns(arms: readonly ArmReport[]): Column[] {
  const columns: Column[] = [{ name: "clean", format: "percent" }];
  for (const key of attackNames(arms)) {
    const name = labelOf(arms, key);
    columns.push({ name, format: "percent" });
    if (hasStatic(arms, key)) columns.push({ name: `${name}, static`, format: "percent" });
  }
  return columns;
}

export function accuracyCells(arm: ArmReport, arms: readonly ArmReport[]): TableCell[] {
  const cells: TableCell[] = [arm.clean.accuracy];
  for (const key of attackNames(arms)) {
    const summary = summaryOf(arm, key);
    cells.push(summary?.mode === "static" ? null : (summary?.attacked.accuracy ?? null));
    if (hasStatic(arms, key)) cells.push(summary?.static?.attacked.accuracy ?? null);
  }
  return cells;
}

export const hasStatic = (arms: readonly ArmReport[], key: string): boolean => arms.some((arm) => summaryOf(arm, key)?.static);

/** A share with its 95 % interval, as a point of a chart. */
export function point(x: number, correct: number, n: number) {
  const interval = wilson(correct, n);
  return interval ? { x, y: correct / n, low: interval[0], high: interval[1] } : { x, y: null };
}

/** Wilson's 95 % interval of a share, "82.7–90.3 %"; null of nothing. */
export function intervalText(correct: number, n: number): string | null {
  const bounds = wilson(correct, n);
  return bounds && `${points(bounds[0])}–${percent(bounds[1])}`;
}

export const reportsOf = (arms: readonly AnalysedArm[]): ArmReport[] => arms.map(({ report }) => report);
export const explainStatic =
  "Adaptive attacks know the defence; static ones were made against the undefended arm and are only shown to the defended one.";
