import type { TextTable } from "../../shared/analysisCell.ts";
import { tableTexts } from "../../shared/analysisTable.ts";
import { figureTable } from "../../shared/figures/table.ts";
import { number } from "../../shared/format.ts";
import { knowledgeNote, namesOf, placedFindings } from "../../shared/labels.ts";
import { analysisFigures } from "../../shared/reportFigures.ts";
import type { RunReport } from "../../shared/results.ts";
import { mostRows } from "./reportFigure.ts";
import { mainTable, notesBelow, tableNotes } from "./reportText.ts";

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

const tableLines = ({ heads, rows }: TextTable): string[] => [row(heads), row(heads.map(() => "---")), ...rows.map(row)];

/** `report.md`: the table, what was expected, findings, analyses. */
export function renderMarkdown(report: RunReport): string {
  const names = namesOf(report);
  const lines = [
    `# ${String(report.experiment["name"] ?? report.run)}`,
    "",
    `Run ${report.run}, finished ${report.finishedAt}.`,
    "",
    ...tableLines(mainTable(report)),
    "",
    tableNotes(report),
    "",
    ...notesBelow(report).map((note) => `- ${note}`),
  ];
  if (report.expect.length > 0) {
    lines.push(
      "",
      "## Expected",
      "",
      row(["Metric", "Arm", "Attack", "Wanted", "Value", "Met"]),
      row(["---", "---", "---", "---", "---", "---"]),
    );
    for (const expected of report.expect) {
      const { metric, arm, attack, min, max, value, met } = expected;
      const wanted = [min === undefined ? "" : `≥ ${min}`, max === undefined ? "" : `≤ ${max}`].filter(Boolean).join(", ");
      const place = [arm === undefined ? "first" : names.arm(arm), attack === undefined ? "all" : names.attack(attack)];
      lines.push(row([metric, ...place, wanted, `${number(value)}${knowledgeNote(expected)}`, met ? "yes" : "no"]));
    }
  }
  lines.push("", "## Findings", "");
  if (report.findings.length === 0) lines.push("No sanity rule fired.");
  for (const { rule, severity, message, fix, place } of placedFindings(report.findings, names))
    lines.push(`- **${rule}** (${[severity, place].filter(Boolean).join("; ")}): ${message} ${fix}`);
  for (const analysis of report.analyses ?? []) {
    lines.push("", `## ${analysis.title}`);
    for (const table of analysis.tables) lines.push("", `### ${table.title}`, "", ...tableLines(tableTexts(table, names)));
    for (const figure of analysisFigures(analysis, names))
      lines.push("", `### ${figure.title}`, "", ...tableLines(figureTable(figure, mostRows)));
    lines.push("", ...analysis.notes.map((note) => `- ${note}`));
  }
  return `${lines.join("\n")}\n`;
}
