import path from "node:path";
import { readShaped } from "../engine/io/readShaped.ts";
import { runDataset } from "../shared/runShapes.ts";
import { runFiles } from "../shared/runs.ts";

/** What the classes of a run are called: by `dataset.json` of its folder, or by their numbers. @throws RUN_INVALID */
export async function classNamer(directory: string): Promise<(label: number) => string> {
  const { classNames } = await readShaped(path.join(directory, runFiles.dataset), runDataset, "Run the command again.");
  return (label) => classNames[label] ?? String(label);
}
