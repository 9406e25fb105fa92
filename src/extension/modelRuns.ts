import path from "node:path";
import type { ModelResult } from "../shared/pages.ts";
import { runFiles } from "../shared/runs.ts";
import { fields } from "../shared/shapes.ts";
import { age } from "./age.ts";
import { isInside, isRecord, readWhole } from "./files.ts";
import { readRequest } from "./panels/inspector/file.ts";
import type { RunEntry } from "./views/runIndex.ts";

const mostResults = 20;

/** Finished runs that this model was trained, evaluated or attacked in, newest first. */
export async function resultsOf(model: string, runs: readonly RunEntry[]): Promise<ModelResult[]> {
  const found: ModelResult[] = [];
  for (const run of runs) {
    if (found.length === mostResults) break;
    if (run.state.status !== "done" || !(await isAbout(run, model))) continue;
    const { title, headline, kind, createdAt } = run.state;
    found.push({ run: run.id, title, headline: headline ?? kind, age: age(createdAt) });
  }
  return found;
}

/** The model's own folder, which experiments may name instead of the file. */
const isModel = (named: unknown, model: string): boolean => named === model || named === path.dirname(model);

async function isAbout({ directory }: RunEntry, model: string): Promise<boolean> {
  if (isInside(directory, model)) return true;
  return (await evaluates(directory, model)) || isModel((await readRequest(directory))?.model, model);
}

/** The run's experiment is about this model file. */
export async function evaluates(directory: string, model: string): Promise<boolean> {
  const experiment = await readWhole(path.join(directory, runFiles.experiment), fields);
  return experiment !== undefined && isRecord(experiment["model"]) && isModel(experiment["model"]["file"], model);
}
