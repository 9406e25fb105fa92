import type { TextTable } from "../../shared/analysisCell.ts";
import { tableTexts } from "../../shared/analysisTable.ts";
import { figureTable } from "../../shared/figures/table.ts";
import { number } from "../../shared/format.ts";
import { knowledgeNote, namesOf, placedFindings } from "../../shared/labels.ts";
import { analysisFigures } from "../../shared/reportFigures.ts";
import type { RunReport } from "../../shared/results.ts";
import { type Line, md, row } from "./markdown.ts";
import { mostRows } from "./reportFigure.ts";
import { mainTable, notesBelow, tableNotes } from "./reportText.ts";

const empty = md``;

const ruler = (columns: readonly unknown[]): Line => row(columns.map(() => "---"));
const tableLines = ({ heads, rows }: TextTable): Line[] => [row(heads), ruler(heads), ...rows.map(row)];

/** `report.md`: the table, what was expected, findings, analyses. */
export function renderMarkdown(report: RunReport): string {
  const names = namesOf(report);
  const lines = [
    md`# ${String(report.experiment["name"] ?? report.run)}`,
    empty,
    md`Run ${report.run}, finished ${report.finishedAt}.`,
    empty,
    ...tableLines(mainTable(report)),
    empty,
    md`${tableNotes(report)}`,
    empty,
    ...notesBelow(report).map((note) => md`- ${note}`),
  ];
  if (report.expect.length > 0) {
    const heads = ["Metric", "Arm", "Attack", "Wanted", "Value", "Met"];
    lines.push(empty, md`## Expected`, empty, row(heads), ruler(heads));
    for (const expected of report.expect) {
      const { metric, arm, attack, min, max, value, met } = expected;
      const wanted = [min === undefined ? "" : `≥ ${min}`, max === undefined ? "" : `≤ ${max}`].filter(Boolean).join(", ");
      const place = [arm === undefined ? "first" : names.arm(arm), attack === undefined ? "all" : names.attack(attack)];
      lines.push(row([metric, ...place, wanted, `${number(value)}${knowledgeNote(expected)}`, met ? "yes" : "no"]));
    }
  }
  lines.push(empty, md`## Findings`, empty);
  if (report.findings.length === 0) lines.push(md`No sanity rule fired.`);
  for (const { rule, severity, message, fix, place } of placedFindings(report.findings, names))
    lines.push(md`- **${rule}** (${[severity, place].filter(Boolean).join("; ")}): ${message} ${fix}`);
  for (const analysis of report.analyses ?? []) {
    lines.push(empty, md`## ${analysis.title}`);
    for (const table of analysis.tables) lines.push(empty, md`### ${table.title}`, empty, ...tableLines(tableTexts(table, names)));
    for (const figure of analysisFigures(analysis, names))
      lines.push(empty, md`### ${figure.title}`, empty, ...tableLines(figureTable(figure, mostRows)));
    lines.push(empty, ...analysis.notes.map((note) => md`- ${note}`));
  }
  return `${lines.map(({ text }) => text).join("\n")}\n`;
}
