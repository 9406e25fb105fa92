import { groupFindings, type RunReport } from "../../shared/results.ts";
import { explainTerms, figure, reportRows, rowCells, sizeNotes, tableHeads } from "./reportText.ts";

const row = (cells: readonly string[]): string => `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;

/** `report.md`: the table, what was expected, findings. */
export function renderMarkdown(report: RunReport): string {
  const lines = [
    `# ${String(report.experiment["name"] ?? report.run)}`,
    "",
    `Run ${report.run}, finished ${report.finishedAt}.`,
    "",
    row(tableHeads),
    row(tableHeads.map(() => "---")),
    ...reportRows(report).map((entry) => row(rowCells(entry))),
    "",
    explainTerms,
    "",
    ...sizeNotes(report).map((note) => `- ${note}`),
  ];
  if (report.expect.length > 0) {
    lines.push(
      "",
      "## Expected",
      "",
      row(["metric", "arm", "attack", "wanted", "value", "met"]),
      row(["---", "---", "---", "---", "---", "---"]),
    );
    for (const { metric, arm, attack, min, max, value, met } of report.expect) {
      const wanted = [min === undefined ? "" : `≥ ${min}`, max === undefined ? "" : `≤ ${max}`].filter(Boolean).join(", ");
      lines.push(row([metric, arm ?? "first", attack ?? "all", wanted, figure(value), met ? "yes" : "no"]));
    }
  }
  lines.push("", "## Findings", "");
  if (report.findings.length === 0) lines.push("No sanity rule fired.");
  for (const { rule, severity, message, fix, arm, attack } of groupFindings(report.findings))
    lines.push(`- **${rule}** (${severity}; ${[arm, attack].filter(Boolean).join(", ")}): ${message} ${fix}`);
  return `${lines.join("\n")}\n`;
}
