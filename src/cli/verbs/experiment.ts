import path from "node:path";
import { runExperiment } from "../../engine/experiment/runExperiment.ts";
import { resume as resumeAny } from "../../engine/jobs/resume.ts";
import { readReport } from "../../engine/report/reportFiles.ts";
import { explainFooled, explainSigns, mainTable, notesBelow } from "../../engine/report/reportText.ts";
import { tableTexts } from "../../shared/analysisTable.ts";
import { knowledgeNote, namesOf, placedFindings } from "../../shared/labels.ts";
import type { RunExperimentResult } from "../../shared/protocol.ts";
import type { RunReport } from "../../shared/results.ts";
import { runFiles } from "../../shared/runs.ts";
import type { Args } from "../args.ts";
import { hintsOfFile } from "../hints.ts";
import { printJson, printText, tableText } from "../print.ts";
import { hosted } from "../runHost.ts";
import { finishAttack } from "./attack.ts";
import type { VerbAction } from "./index.ts";

const notMet = 2;

function finish({ directory, expectationsMet }: RunExperimentResult, report: RunReport, args: Args): number {
  if (args.flag("json")) printJson(report);
  else print(directory, report);
  return expectationsMet ? 0 : notMet;
}

function print(directory: string, report: RunReport): void {
  const names = namesOf(report);
  const { heads, rows } = mainTable(report);
  printText(tableText(heads, rows));
  if (heads.includes("δ")) printText(heads.includes("β of fooled") ? `${explainSigns} ${explainFooled}` : explainSigns);
  for (const note of notesBelow(report)) printText(note);
  for (const { title, tables } of report.analyses ?? [])
    for (const table of tables) {
      const shown = tableTexts(table, names);
      printText(`\n${title}: ${table.title}\n${tableText(shown.heads, shown.rows)}`);
    }
  for (const { rule, place, message } of placedFindings(report.findings, names))
    printText(`${[rule, place].filter(Boolean).join(" ")}: ${message}`);
  for (const expected of report.expect) {
    const { metric, attack, arm, min, max, value, met } = expected;
    const wanted = [min === undefined ? "" : `≥ ${min}`, max === undefined ? "" : `≤ ${max}`].filter(Boolean).join(", ");
    const what = [metric, arm && names.arm(arm), attack && names.attack(attack)].filter(Boolean).join(" · ");
    printText(`${met ? "met" : "NOT MET"}: ${what} ${wanted}, is ${value ?? "unknown"}${knowledgeNote(expected)}`);
  }
  printText(`report: ${path.join(directory, runFiles.reportHtml)}`);
}

const start =
  (mode: "run" | "train" | "evaluate"): VerbAction =>
  async (args, session) => {
    const [file = ""] = args.positionals;
    const model = args.text("model");
    const directory = args.text("out");
    const backend = args.text("backend") ?? "auto";
    const seed = args.text("seed") === undefined ? {} : { seed: session.seed };
    const chosen = { ...(model ? { model } : {}), ...(directory ? { directory } : {}), ...seed };
    const params = { file, mode, workspace: session.workspace, backend, force: args.flag("force"), ...chosen };
    for (const hint of await hintsOfFile(file, args.text("seed") === undefined ? [] : ["RB009"])) session.progress.say(hint);
    const result = await hosted(session, directory, (host) => runExperiment(params, host));
    return finish(result, await readReport(result.directory), args);
  };

export const run = start("run");
export const train = start("train");
export const evaluate = start("evaluate");

export const resume: VerbAction = async (args, session) => {
  const [directory = ""] = args.positionals;
  for (const name of ["seed", "out"])
    if (args.text(name) !== undefined) throw args.usage(`A run is resumed as it was begun: leave out --${name}.`);
  const params = { directory, backend: args.text("backend") ?? "auto", force: args.flag("force") };
  const result = await hosted(session, directory, (host) => resumeAny(params, host));
  return result.document ? finishAttack(result.document, directory, args) : finish(result, await readReport(directory), args);
};
