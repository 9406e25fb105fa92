import type { AnalysisTable, AttackSummary, Choice, Column, TableCell } from "../../../../shared/results.ts";
import type { AnalysedArm, Presentation } from "../../../define/analysis.ts";
import { type PaperRow, remarks, sides, table1, table2, table3 } from "./printed.ts";

/** Tables 1 to 3 of "Local Gradients Smoothing" beside ours: rows by defence and its parameters, columns by the size of the noise. */
export function comparison(arms: readonly AnalysedArm[], dataset: string): Presentation {
  const tables = [
    tableOf("Table 1: accuracy under images made without the defence", arms, [
      ...table1.map(([row, clean]) => ({ row, figure: "no attack", printed: clean, ours: cleanOf })),
      ...sides.flatMap((side, i) =>
        table1.map(([row, , ...bySide]) => ({
          row,
          figure: `LaVAN, ${side} of 299`,
          printed: bySide[i] as number,
          ours: (arm: AnalysedArm) => staticAccuracy(arm, isNoise(side)),
        })),
      ),
    ]),
    tableOf(
      "Table 2: accuracy under a universal patch made without the defence",
      arms,
      table2.map(([row, printed]) => ({ row, figure: "patch, 95 of 299", printed, ours: (arm) => staticAccuracy(arm, isPatch) })),
    ),
    tableOf(
      "Table 3: success of the attack that knows the defence, lower is better",
      arms,
      table3.map(([row, printed]) => ({
        row,
        figure: "LaVAN, 42 of 299",
        printed,
        ours: (arm) => adaptiveSuccess(arm, isNoise(sides[0])),
      })),
    ),
  ].filter(({ rows }) => rows.length > 0);
  const models = [...new Set(arms.map(({ report }) => report.model.id))];
  return {
    title: "Beside the figures of Local Gradients Smoothing",
    charts: [],
    tables,
    notes: [
      `Ours: ${models.join(", ")} on ${dataset}. The paper: Inception v3 on ImageNet, 299×299 pixels; Table 1 over its validation images, Tables 2 and 3 over 1000 images.`,
      "Another network or data set shows a direction, not a value to be met.",
      ...missing(arms),
    ],
  };
}

interface Entry {
  readonly row: PaperRow;
  readonly figure: string;
  /** Percent. */
  readonly printed: number;
  ours(arm: AnalysedArm): number | null;
}

function tableOf(title: string, arms: readonly AnalysedArm[], entries: readonly Entry[]): AnalysisTable {
  const text = (name: string): Column => ({ name, format: "text" });
  const rows = entries.flatMap(({ row, figure, printed, ours }): TableCell[][] => {
    const arm = armOf(row, arms);
    const own = arm && ours(arm);
    if (!arm || own === null) return [];
    return [[row.name, figure, own, printed / 100, own - printed / 100, arm.report.name, remarks[row.name] ?? null]];
  });
  return {
    title,
    columns: [
      text("the paper's row"),
      text("figure"),
      { name: "ours", format: "percent" },
      { name: "the paper's", format: "percent" },
      { name: "difference", format: "difference" },
      text("our arm"),
      text("remark"),
    ],
    rows,
  };
}

/** The arm with this defence alone, and with the parameters that the row names; for none the first undefended arm. */
function armOf({ defense }: PaperRow, arms: readonly AnalysedArm[]): AnalysedArm | null {
  const isMeant = ({ id, params }: Choice): boolean =>
    id === (defense?.id ?? "standard") && Object.entries(defense?.params ?? {}).every(([name, value]) => params[name] === value);
  return arms.find(({ report }) => isMeant(report.defense)) ?? null;
}

/** A size that differs by less than a hundredth of the image is the paper's, rounded to whole pixels. */
const isNoise =
  (side: number) =>
  ({ attack }: AttackSummary): boolean =>
    attack.id === "lavan" && Math.abs(Number(attack.params["size"]) - side / 299) < 0.01;
const isPatch = ({ attack }: AttackSummary): boolean => attack.id === "adversarialPatch";

const cleanOf = ({ report }: AnalysedArm): number | null => report.clean.accuracy;

function staticAccuracy({ report }: AnalysedArm, isMeant: (summary: AttackSummary) => boolean): number | null {
  const summary = report.attacks.find(isMeant);
  if (!summary) return null;
  const isOwn = report.defense.id === "standard" || summary.mode === "static";
  return summary.static?.attacked.accuracy ?? (isOwn ? summary.attacked.accuracy : null);
}

function adaptiveSuccess({ report }: AnalysedArm, isMeant: (summary: AttackSummary) => boolean): number | null {
  const summary = report.attacks.find((one) => isMeant(one) && one.mode !== "static");
  return summary ? (summary.targetRate ?? summary.successRate) : null;
}

function missing(arms: readonly AnalysedArm[]): string[] {
  const rows = table1.flatMap(([row]) => (armOf(row, arms) ? [] : [row.name]));
  return rows.length === 0 ? [] : [`Rows of the paper that no arm of this experiment has: ${rows.join("; ")}.`];
}
