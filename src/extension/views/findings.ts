import path from "node:path";
import * as vscode from "vscode";
import { commands } from "../../shared/contributions.ts";
import { finding as shape } from "../../shared/reportShape.ts";
import { type Finding, groupFindings, placeOf, type Severity } from "../../shared/results.ts";
import { ruleInfo } from "../../shared/rules.ts";
import { runFiles } from "../../shared/runs.ts";
import { fields, fitting } from "../../shared/shapes.ts";
import { readWhole } from "../files.ts";
import type { Services } from "../services.ts";
import type { RunEntry } from "./runIndex.ts";
import { createTree, row, type Tree, type TreeNode } from "./tree.ts";

interface Found {
  readonly finding: Finding;
  readonly run: RunEntry;
}
const severities: readonly { readonly id: Severity; readonly label: string; readonly icon: string; readonly color: string }[] = [
  { id: "error", label: "Errors", icon: "error", color: "problemsErrorIcon.foreground" },
  { id: "warning", label: "Warnings", icon: "warning", color: "problemsWarningIcon.foreground" },
  { id: "info", label: "Information", icon: "info", color: "problemsInfoIcon.foreground" },
  { id: "hint", label: "Hints", icon: "lightbulb", color: "problemsInfoIcon.foreground" },
];

/** Findings of all reports, worst first; a click opens the run. */
export function findingsTree(services: Services): Tree {
  return createTree(async () => {
    const found = (await Promise.all((await services.runs.all()).map(findingsOf))).flat();
    return severities.flatMap(({ id, label, icon, color }): TreeNode[] => {
      const mine = found.filter(({ finding }) => finding.severity === id);
      if (mine.length === 0) return [];
      const state = vscode.TreeItemCollapsibleState.Expanded;
      const item = row(label, { id, description: String(mine.length), icon, color, context: "severity", state });
      return [{ item, children: async () => mine.map((one, index) => findingNode(one, `${id}/${index}`, icon, color)) }];
    });
  });
}

async function findingsOf(run: RunEntry): Promise<Found[]> {
  for (const file of [runFiles.report, runFiles.result]) {
    const read = await readWhole(path.join(run.directory, file), fields);
    if (read && Array.isArray(read["findings"]))
      return groupFindings(read["findings"].flatMap((one: unknown) => fitting(shape, one) ?? [])).map((finding) => ({ finding, run }));
  }
  return [];
}

function findingNode({ finding, run }: Found, id: string, icon: string, color: string): TreeNode {
  const where = [placeOf(finding), run.state.title].filter(Boolean).join(" · ");
  const info = ruleInfo(finding.rule);
  const item = row(`${finding.rule} ${finding.message}`, {
    id,
    description: where,
    tooltip: [`${finding.rule}: ${info?.title ?? finding.rule}`, finding.message, finding.fix, info?.why, where]
      .filter(Boolean)
      .join("\n\n"),
    icon,
    color,
    context: "finding",
    command: { command: commands.openRun, title: "Open", arguments: [run.id] },
  });
  return { item, run: run.id };
}
