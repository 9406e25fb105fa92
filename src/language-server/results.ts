import { closeSync, constants, fstatSync, lstatSync, openSync, readdirSync, readFileSync } from "node:fs";
import path from "node:path";
import { type Static, Type } from "@sinclair/typebox";
import { finding } from "../shared/reportShape.ts";
import type { Finding } from "../shared/results.ts";
import { runFiles, runsFolder } from "../shared/runs.ts";
import { fields, fitting, orNull, readAs, text } from "../shared/shapes.ts";

export interface LastResult {
  readonly run: string;
  readonly headline: string;
}

/** The newest finished run of an experiment file. */
export const lastOfExperiment = (file: string): LastResult | undefined =>
  newest(file, (directory) => environmentSource(directory) === path.basename(file));

/** What rules found in a run, and the experiment as it was run. */
export interface LastReport {
  readonly run: string;
  readonly experiment: unknown;
  readonly findings: readonly Finding[];
}

/** The report of the newest finished run of an experiment file. */
export function lastReportOf(file: string): LastReport | undefined {
  const last = lastOfExperiment(file);
  const directory = last && runFolders(path.dirname(file)).find((folder) => path.basename(folder) === last.run);
  const report = directory === undefined ? undefined : json(path.join(directory, runFiles.report));
  if (!last || !report || !Array.isArray(report["findings"])) return undefined;
  return {
    run: last.run,
    experiment: report["experiment"],
    findings: report["findings"].flatMap((one: unknown) => fitting(finding, one) ?? []),
  };
}

/** The newest finished run that trained or evaluated a model file. */
export function lastOfModel(file: string): LastResult | undefined {
  const folder = path.dirname(file);
  return newest(
    file,
    (directory) =>
      folder === path.join(directory, runFiles.model) || modelFiles(directory).some((used) => used === file || used === folder),
  );
}

/** What is shown of a run, whatever else its state says. */
const ended = Type.Object({ status: text, createdAt: text, headline: orNull(text) });

function newest(file: string, isMeant: (directory: string) => boolean): LastResult | undefined {
  let best: (Static<typeof ended> & { readonly run: string }) | undefined;
  for (const directory of runFolders(path.dirname(file))) {
    const state = fitting(ended, json(path.join(directory, runFiles.state)));
    if (state?.status !== "done" || !state.headline || !isMeant(directory)) continue;
    if (!best || state.createdAt > best.createdAt) best = { ...state, run: path.basename(directory) };
  }
  return best?.headline ? { run: best.run, headline: best.headline } : undefined;
}

/** Run folders of the nearest `.bulwark` above a file. */
function runFolders(start: string): string[] {
  for (let directory = start; ; directory = path.dirname(directory)) {
    const runs = path.join(directory, runsFolder);
    try {
      const folders = readdirSync(runs, { withFileTypes: true }).filter((entry) => entry.isDirectory()); // a link is none
      return folders.map(({ name }) => path.join(runs, name));
    } catch {
      // Not here: look one level up.
    }
    if (path.dirname(directory) === directory) return [];
  }
}

function environmentSource(directory: string): unknown {
  const experiment = json(path.join(directory, runFiles.experiment)) as { environment?: { source?: unknown } } | undefined;
  return experiment?.environment?.source;
}

interface Modelled {
  readonly model?: { readonly file?: unknown };
}
function modelFiles(directory: string): unknown[] {
  const experiment = json(path.join(directory, runFiles.experiment)) as (Modelled & { readonly compare?: readonly Modelled[] }) | undefined;
  return [experiment, ...(Array.isArray(experiment?.compare) ? experiment.compare : [])].map((arm) => arm?.model?.file);
}

/** Bytes; what is larger is opened in the editor, and not looked through for a lens. */
const mostBytes = 64 * 1024 * 1024;
/** Opening does not wait for a writer where the file has become a pipe since it was looked at. */
const flags = constants.O_RDONLY | (constants.O_NONBLOCK ?? 0);

/** A JSON object in a file of a run folder, which may come from anybody: a regular file and no link; undefined for anything else. */
function json(file: string): Readonly<Record<string, unknown>> | undefined {
  let descriptor: number | undefined;
  try {
    if (!lstatSync(file).isFile()) return undefined;
    descriptor = openSync(file, flags);
    const found = fstatSync(descriptor);
    if (!found.isFile() || found.size > mostBytes) return undefined;
    const read = readAs(fields, readFileSync(descriptor, "utf8"));
    return "value" in read ? read.value : undefined;
  } catch {
    return undefined;
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}
