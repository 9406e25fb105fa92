import path from "node:path";
import type { ChosenDefense } from "../../shared/experiment.ts";
import { armModelFolder, runFiles } from "../../shared/runs.ts";
import { locateModel } from "../importers/locate.ts";
import { exists, readText } from "../io/files.ts";

interface Saved {
  readonly defense?: ChosenDefense;
  readonly compare?: readonly { readonly name: string; readonly defense?: ChosenDefense }[];
}

/** The undefended model that the same run has trained, for a model in a run folder; undefined where there is none. */
export async function undefendedBeside(model: string): Promise<string | undefined> {
  const file = await locateModel(model).catch(() => null); // told when it is opened
  if (file === null) return undefined;
  const run = path.dirname(path.dirname(path.resolve(file)));
  const saved = await savedIn(path.join(run, runFiles.experiment));
  if (!saved) return undefined;
  const arms = [{ name: "", defense: saved.defense }, ...(saved.compare ?? [])];
  const index = arms.findIndex(({ defense }) => isNone(defense));
  const folder = path.join(run, armModelFolder(index, arms[index]?.name ?? ""));
  return index >= 0 && (await exists(path.join(folder, "model.json"))) ? folder : undefined;
}

const isNone = (defense: ChosenDefense | undefined): boolean => [defense ?? []].flat().every(({ kind }) => kind === "standard");

async function savedIn(file: string): Promise<Saved | null> {
  try {
    return JSON.parse(await readText(file)) as Saved;
  } catch {
    return null;
  }
}
