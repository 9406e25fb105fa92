import path from "node:path";
import type { RankingSettings } from "../../shared/panels.ts";
import { type AttackImageResult, type PatchRanking, type RankPatchesResult, requests } from "../../shared/protocol.ts";
import { exists } from "../files.ts";
import { newRunDirectory } from "../runFolder.ts";
import type { Services } from "../services.ts";
import { requireTrust, rootFolder } from "../workspace.ts";

export interface RankingRequest {
  readonly image: string;
  /** Run folder of the attack that is shown; empty when there was none. */
  readonly directory: string;
  readonly result: AttackImageResult | null;
  readonly chosen: RankingSettings;
}

/** Ranks the slices of the image that is shown (and of the attacked one), with files relative to the folder that is returned. */
export async function rankInto(services: Services, o: RankingRequest): Promise<{ directory: string; result: RankPatchesResult }> {
  requireTrust();
  const { result: attacked, chosen } = o;
  const directory = o.directory === "" ? newRunDirectory(rootFolder(o.image), `rank ${path.basename(o.image)}`) : o.directory;
  const own = o.directory === "" ? directory : await freeFolder(directory);
  const images = attacked
    ? { image: path.join(o.directory, attacked.before.image), attacked: path.join(o.directory, attacked.after.image) }
    : { image: o.image };
  const ranked = await services.engine.request(requests.rankPatches, { ...images, ...chosen, onRemainder: "reflectPad", directory: own });
  services.runs.refresh();
  const prefix = path.relative(directory, own).split(path.sep).join("/");
  return { directory, result: prefix === "" ? ranked : prefixed(ranked, prefix) };
}

/** A new folder each time: a webview would show its cached pictures otherwise. */
async function freeFolder(directory: string): Promise<string> {
  for (let index = 1; ; index++) {
    const folder = path.join(directory, `ranking-${index}`);
    if (!(await exists(folder))) return folder;
  }
}

function prefixed(ranked: RankPatchesResult, prefix: string): RankPatchesResult {
  const join = (file: string): string => `${prefix}/${file}`;
  const ranking = (one: PatchRanking): PatchRanking => ({ ...one, slices: one.slices.map(join) });
  return {
    ...ranked,
    image: join(ranked.image),
    clean: ranking(ranked.clean),
    attacked: ranked.attacked ? ranking(ranked.attacked) : null,
  };
}
