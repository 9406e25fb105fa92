import path from "node:path";
import type { LedgerPart } from "../../shared/panels.ts";
import type { ImageRecord, RunReport } from "../../shared/results.ts";
import {
  adversarialThumbnail,
  armModelFolder,
  armRecordsFile,
  attackKeys,
  cleanThumbnail,
  runFiles,
  staticKey,
} from "../../shared/runs.ts";
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
  for (const [armIndex, arm] of report.arms.entries()) {
    const keys = attackKeys(arm.attacks.map((attack) => attack.attack.id));
    // Images that were only transferred are the pictures of the arm they were made against.
    const shown = keys.flatMap((key, i) => {
      const { mode, static: transferred } = arm.attacks[i] ?? {};
      if (mode === "static") return [{ name: staticKey(key), records: key, pictured: arm.name, key }];
      const own = { name: key, records: key, pictured: arm.name, key };
      return transferred ? [own, { name: staticKey(key), records: staticKey(key), pictured: transferred.source, key }] : [own];
    });
    for (const { name, records, pictured, key } of shown) {
      const read = await readJson(path.join(directory, armRecordsFile(armIndex, arm.name, records)));
      if (!isRecord(read) || !Array.isArray(read["images"])) continue;
      const images = read["images"] as ImageRecord[]; // written by our engine
      const thumbnails: Record<number, { clean: string; adversarial: string }> = {};
      for (const { index } of images) {
        const clean = cleanThumbnail(index);
        const adversarial = adversarialThumbnail(pictured, key, index);
        if (has(clean) && has(adversarial)) thumbnails[index] = { clean, adversarial };
      }
      parts.push({ arm: arm.name, attack: name, images, thumbnails });
    }
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
