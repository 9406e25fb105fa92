import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { recordsSources } from "../../shared/ledger.ts";
import type { LedgerPart } from "../../shared/panels.ts";
import { imageRecords, runReport } from "../../shared/reportShape.ts";
import type { RunReport } from "../../shared/results.ts";
import { runDataset } from "../../shared/runShapes.ts";
import { adversarialThumbnail, armModelFolder, cleanThumbnail, runFiles } from "../../shared/runs.ts";
import { fields } from "../../shared/shapes.ts";
import { isRecord, namesIn, readShaped, readWhole } from "../files.ts";

/** report.json of a run, or null when it is not there (yet). @throws RUN_INVALID where it is damaged */
export async function readReport(directory: string): Promise<RunReport | null> {
  const read = await readShaped(path.join(directory, runFiles.report), runReport);
  if (!read) return null;
  if ("value" in read) return read.value;
  throw new BulwarkError("RUN_INVALID", `${runFiles.report} of this run is damaged: ${read.wrong}.`, "Run the experiment again.");
}

/** The records of every image, arm by arm and attack by attack; an attack without a file is left out. */
export async function readLedger(directory: string, report: RunReport): Promise<LedgerPart[]> {
  const pictures = new Set(await namesIn(path.join(directory, runFiles.images)));
  const has = (file: string): boolean => pictures.has(path.posix.basename(file));
  const parts: LedgerPart[] = [];
  for (const [armIndex, arm] of report.arms.entries())
    for (const { attack, file, madeBy, madeOn, limits } of recordsSources(arm, armIndex)) {
      const images = (await readWhole(path.join(directory, file), imageRecords))?.images;
      if (!images) continue;
      const thumbnails: Record<number, { clean: string; adversarial: string }> = {};
      for (const { index } of images) {
        const clean = cleanThumbnail(index);
        const adversarial = adversarialThumbnail(madeOn, madeBy, index);
        if (has(clean) && has(adversarial)) thumbnails[index] = { clean, adversarial };
      }
      parts.push({ arm: arm.name, attack, images, thumbnails, limits });
    }
  return parts;
}

/** What a run says of its images. */
export interface ImageFacts {
  /** Index of a label → its name; none when nobody named the classes. */
  readonly classNames: readonly string[];
  /** Index of an image → its file, relative to the data set; none where images are in no files of their own. */
  readonly files: readonly string[];
  /** Folder of those files; empty where there are none. */
  readonly folder: string;
}

export async function readImageFacts(directory: string): Promise<ImageFacts> {
  const { classNames: names = [], files = [], source = "" } = (await readWhole(path.join(directory, runFiles.dataset), runDataset)) ?? {};
  const isCount = names.every((name, i) => name === String(i));
  const [, folder = ""] = /^imageFolder:([^?]+)/.exec(source) ?? [];
  return { classNames: isCount ? await contractNames(directory) : names, files, folder };
}

/** Of the first arm's network, where the run trained it. */
async function contractNames(directory: string): Promise<readonly string[]> {
  const folder = path.join(directory, armModelFolder(0, ""));
  const contract = (await namesIn(folder)).find((name) => name.endsWith(".bulwark.json"));
  const read = contract === undefined ? undefined : await readWhole(path.join(folder, contract), fields);
  const output = read?.["output"];
  const classes = isRecord(output) ? output["classes"] : undefined;
  return Array.isArray(classes) ? classes.filter((name): name is string => typeof name === "string") : [];
}
