import path from "node:path";
import { readText } from "../engine/io/files.ts";
import { runFiles } from "../shared/runs.ts";

/** What the classes of a run are called: by `dataset.json` of its folder, or by their numbers. */
export async function classNamer(directory: string): Promise<(label: number) => string> {
  const { classNames } = JSON.parse(await readText(path.join(directory, runFiles.dataset))) as { classNames: readonly string[] };
  return (label) => classNames[label] ?? String(label);
}
