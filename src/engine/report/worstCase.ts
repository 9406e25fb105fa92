import path from "node:path";
import { ledgerRows, recordsSources, worstCase } from "../../shared/ledger.ts";
import { imageRecords } from "../../shared/reportShape.ts";
import type { ArmReport, ImageRecord, WorstCase } from "../../shared/results.ts";
import { exists } from "../io/files.ts";
import { readShaped } from "../io/readShaped.ts";

/** The worst case of an arm's images, from the records in the run folder; null where some are missing. */
export async function worstCaseOf(arm: ArmReport, index: number, directory: string): Promise<WorstCase | null> {
  const sources = recordsSources(arm, index);
  const parts = [];
  for (const { attack, file, limits } of sources)
    parts.push({ arm: arm.name, attack, limits, images: await recordsIn(path.join(directory, file)) });
  const worst = worstCase(
    ledgerRows(parts, arm.name),
    sources.map(({ attack }) => attack),
  );
  return worst && worst.n > 0 ? worst : null;
}

async function recordsIn(file: string): Promise<readonly ImageRecord[]> {
  if (!(await exists(file))) return [];
  return (await readShaped(file, imageRecords, "Run the experiment again.")).images;
}
