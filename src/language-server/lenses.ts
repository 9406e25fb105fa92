import { fileURLToPath } from "node:url";
import type { CodeLens, Command } from "vscode-languageserver/node";
import { commands } from "../shared/contributions.ts";
import { type LastResult, lastOfExperiment, lastOfModel } from "./results.ts";

const lens = (line: number, command: Command): CodeLens => ({
  range: { start: { line, character: 0 }, end: { line, character: 0 } },
  command,
});
const of = (title: string, command: string, ...args: unknown[]): Command => ({ title, command, arguments: args });
const result = (last: LastResult | undefined): Command[] => (last ? [of(`$(graph) ${last.headline}`, commands.openReport, last.run)] : []);

/** Run · Train · Evaluate · last result, above the line on which the experiment begins. */
export function experimentLenses(uri: string, line: number): CodeLens[] {
  const all = [
    of("$(play) Run", commands.runExperiment, uri),
    of("$(mortar-board) Train", commands.trainExperiment, uri),
    of("$(beaker) Evaluate", commands.evaluateExperiment, uri),
    ...result(lastOfExperiment(fileURLToPath(uri))),
  ];
  return all.map((command) => lens(line, command));
}

/** Other files are called model.json as well. */
export const isModelJson = (text: string): boolean => text.includes('"modelTopology"');

export function modelLenses(uri: string): CodeLens[] {
  const all = [
    of("$(beaker) Evaluate robustness", commands.evaluateModel, uri),
    of("$(shield) Attack…", commands.attackModel, uri),
    of("$(info) Inspect", commands.inspectModel, uri),
    ...result(lastOfModel(fileURLToPath(uri))),
  ];
  return all.map((command) => lens(0, command));
}
