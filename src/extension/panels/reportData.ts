import path from "node:path";
import { recordsSources } from "../../shared/ledger.ts";
import type { LedgerPart } from "../../shared/panels.ts";
import type { ImageRecord, RunReport } from "../../shared/results.ts";
import { adversarialThumbnail, armModelFolder, cleanThumbnail, runFiles } from "../../shared/runs.ts";
import { isRecord, namesIn, readJson } from "../files.ts";

/** report.json of a run, or null when it is not there (yet). */
export async function readReport(directory: string): Promise<RunReport | null> {
  const read = await readJson(path.join(directory, runFiles.report));
  if (!isRecord(read) || !Array.isArray(read["arms"]) || !Array.isArray(read["findings"])) return null;
  return read as unknown as RunReport; // written by our engine
}

/** The records of every image, arm by arm and attack by attack; an attack without a file is left out. */
export async function readLedger(directory: string, report: RunReport): Promise<LedgerPart[]> {
  const pictures = new Set(await namesIn(path.join(directory, runFiles.images)));
  const has = (file: string): boolean => pictures.has(path.posix.basename(file));
  const parts: LedgerPart[] = [];
  for (const [armIndex, arm] of report.arms.entries())
    for (const { attack, file, madeBy, madeOn } of recordsSources(arm, armIndex)) {
      const read = await readJson(path.join(directory, file));
      if (!isRecord(read) || !Array.isArray(read["images"])) continue;
      const images = read["images"] as ImageRecord[]; // written by our engine
      const thumbnails: Record<number, { clean: string; adversarial: string }> = {};
      for (const { index } of images) {
        const clean = cleanThumbnail(index);
        const adversarial = adversarialThumbnail(madeOn, madeBy, index);
        if (has(clean) && has(adversarial)) thumbnails[index] = { clean, adversarial };
      }
      parts.push({ arm: arm.name, attack, images, thumbnails });
    }
  return parts;
}

/** Class names of the first arm's model; none when nobody named them. */
export async function readClassNames(directory: string): Promise<string[]> {
  const folder = path.join(directory, armModelFolder(0, ""));
  const contract = (await namesIn(folder)).find((name) => name.endsWith(".bulwark.json"));
  const read = contract === undefined ? undefined : await readJson(path.join(folder, contract));
  const output = isRecord(read) ? read["output"] : undefined;
  const classes = isRecord(output) ? output["classes"] : undefined;
  return Array.isArray(classes) ? classes.filter((name): name is string => typeof name === "string") : [];
}
