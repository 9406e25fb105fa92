import { percent } from "../../../../shared/format.ts";
import type { AnalysisTable, Column, TableCell } from "../../../../shared/results.ts";
import type { AnalysedArm, Presentation } from "../../../define/analysis.ts";
import { holm, significance, unevenP } from "../../../metrics/statistics.ts";
import { intervalText } from "../../columns.ts";
import { attentionTables } from "./attention.ts";
import { armOf, dataOf, rightIn } from "./match.ts";
import { columns, orders, type PaperColumn, type PaperData, radius, remarks, rows, table6, table7 } from "./printed.ts";

/** Tables 1 to 7 of "Attention, Please!" beside ours: rows by what a network was trained with, columns by attack. */
export function comparison(arms: readonly AnalysedArm[], dataset: string): Presentation {
  const { data, isSame } = dataOf(dataset);
  const tables = [accuracyTable(arms, data), orderTable(arms, data), augmentedTable(arms), ...attentionTables(arms)];
  const models = [...new Set(arms.map(({ report }) => report.model.id))];
  const absent = rows.filter((row) => armOf(row, arms) === null);
  return {
    title: "Beside the figures of Attention, Please!",
    charts: [],
    tables: tables.filter((table) => table.rows.length > 0),
    notes: [
      `Ours: ${models.join(", ")} on ${dataset}. The paper: LeNet on MNIST, ResNet9 on CIFAR-10, ResNet50 on ImageNet; Tables 1 to 5 with Inception v3 on ImageNet.`,
      ...(isSame ? [] : [`The paper has no such data set: its ${data} shows a direction, not a value to be met.`]),
      `Table 6 takes attacks of radius ${data === "MNIST" ? "0.3" : `${Math.round(radius[data] * 255)}/255`}, as the paper does. CW is PGD with the margin loss. After fewer iterations than an attack was run with, an image counts as wrong when any iterate so far fooled the model.`,
      `Order of rows: both networks on the same images, each under attacks made against itself; p by McNemar's exact test, several at once by Holm at ${percent(significance, 0)}.`,
      ...(absent.length > 0 ? [`Rows of the paper that no arm of this experiment has: ${absent.join(", ")}.`] : []),
    ],
  };
}

const text = (name: string): Column => ({ name, format: "text" });

function accuracyTable(arms: readonly AnalysedArm[], data: PaperData): AnalysisTable {
  return {
    title: `Table 6, ${data}: accuracy`,
    columns: [
      text("the paper's row"),
      text("attack"),
      { name: "ours", format: "percent" },
      text("95 % interval"),
      { name: "the paper's", format: "percent" },
      { name: "difference", format: "difference" },
      text("our arm"),
      text("remark"),
    ],
    rows: rows.flatMap((row) => {
      const arm = armOf(row, arms);
      if (!arm) return [];
      return columns.flatMap((column, i): TableCell[][] => {
        const [correct, n] = countOf(rightIn(column, arm, data));
        if (n === 0) return [];
        const printed = (table6[data][row][i] as number) / 100;
        const remark = remarks[`${data} ${row} ${column.name}`] ?? null;
        return [[row, column.name, correct / n, intervalText(correct, n), printed, correct / n - printed, arm.report.name, remark]];
      });
    }),
  };
}

const countOf = (right: ReadonlyMap<number, boolean> | null): [correct: number, n: number] => [
  [...(right?.values() ?? [])].filter(Boolean).length,
  right?.size ?? 0,
];

/** One of the paper's statements about the order of rows, under one attack. */
interface Ordered {
  readonly statement: string;
  readonly column: PaperColumn;
  /** Images that are right in one of the two alone. */
  readonly onlyWeaker: number;
  readonly onlyStronger: number;
  readonly shown: readonly TableCell[];
  readonly p: number;
}

function orderTable(arms: readonly AnalysedArm[], data: PaperData): AnalysisTable {
  const found = orders.flatMap(([weaker, sign, stronger]) => {
    const [a, b] = [armOf(weaker, arms), armOf(stronger, arms)];
    if (!a || !b) return [];
    return columns
      .filter(({ attack }) => attack !== null)
      .flatMap((column) => orderedBy(`${weaker} ${sign} ${stronger}`, column, [a, b], data));
  });
  const isSignificant = holm(found.map(({ p }) => p));
  return {
    title: "Order of the rows",
    columns: [text("the paper says"), text("attack"), text("first"), text("second"), { name: "p", format: "number" }, text("ours")],
    rows: found.map((one, i) => [one.statement, one.column.name, ...one.shown, one.p, verdict(one, isSignificant[i] === true)]),
  };
}

function orderedBy(
  statement: string,
  column: PaperColumn,
  [weaker, stronger]: readonly [AnalysedArm, AnalysedArm],
  data: PaperData,
): Ordered[] {
  const [a, b] = [rightIn(column, weaker, data), rightIn(column, stronger, data)];
  if (!a || !b) return [];
  const common = [...a.keys()].filter((index) => b.has(index));
  const onlyWeaker = common.filter((index) => a.get(index) && !b.get(index)).length;
  const onlyStronger = common.filter((index) => b.get(index) && !a.get(index)).length;
  const shown = [a, b].map((right) => {
    const [correct, n] = countOf(right);
    return n === 0 ? null : `${percent(correct / n)} (${intervalText(correct, n)})`;
  });
  return [{ statement, column, onlyWeaker, onlyStronger, shown, p: unevenP(onlyWeaker, onlyStronger) }];
}

function verdict({ onlyWeaker, onlyStronger }: Ordered, isSignificant: boolean): string {
  if (!isSignificant) return "not told apart";
  return onlyStronger > onlyWeaker ? "holds" : "the other way round";
}

/** Table 7: of the images that are right without attack, those that stay right under an attack, and under the same with attention augmented. */
function augmentedTable(arms: readonly AnalysedArm[]): AnalysisTable {
  const percentages = (name: string): Column => ({ name, format: "percent" });
  const arm = armOf("RAW", arms);
  const rows = table7.flatMap(({ name, attack, alone, augmented }): TableCell[][] => {
    const summaries = arm?.report.attacks ?? [];
    const base = summaries.find((one) => one.attack.id === attack);
    const around = summaries.find(({ attack: { id, params } }) => id === "attentionAugmented" && baseIs(params["base"], attack));
    if (!base || !around) return [];
    return [[name, base.defenseSuccess, around.defenseSuccess, alone / 100, augmented / 100, arm?.report.name ?? null]];
  });
  return {
    title: "Table 7: images that stay right",
    columns: [
      text("attack"),
      percentages("ours, alone"),
      percentages("ours, attention augmented"),
      percentages("the paper's, alone"),
      percentages("the paper's, augmented"),
      text("our arm"),
    ],
    rows,
  };
}

const baseIs = (base: unknown, attack: string): boolean =>
  base === attack || (typeof base === "object" && base !== null && "kind" in base && base.kind === attack);
