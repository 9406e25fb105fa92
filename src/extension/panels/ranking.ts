import { rm, writeFile } from "node:fs/promises";
import path from "node:path";
import type { RankingSettings } from "../../shared/panels.ts";
import { type AttackImageResult, type PatchRanking, type RankPatchesResult, requests } from "../../shared/protocol.ts";
import { isRecord, readJson } from "../files.ts";
import { newRunDirectory } from "../runFolder.ts";
import type { Services } from "../services.ts";
import { requireTrust, rootFolder } from "../workspace.ts";

/** What a person asks for; "auto" leaves the slice size to the engine. */
export type RankingWish = Omit<RankingSettings, "patch"> & { readonly patch: number | "auto" };
export interface RankingRequest {
  readonly image: string;
  /** Run folder of the attack that is shown; empty when there was none. */
  readonly directory: string;
  readonly result: AttackImageResult | null;
  readonly chosen: RankingWish;
}
/** A ranking and how it was asked for; kept in the run folder, so that the panel comes back after a reload. */
export interface KeptRanking {
  readonly settings: RankingSettings;
  readonly result: RankPatchesResult;
}
const file = "ranking.json";

/** Ranks the slices of the image that is shown (and of the attacked one), with files relative to the folder that is returned. */
export async function rankInto(services: Services, o: RankingRequest): Promise<KeptRanking & { readonly directory: string }> {
  requireTrust();
  const { result: attacked, chosen } = o;
  const directory = o.directory === "" ? newRunDirectory(rootFolder(o.image), `rank ${path.basename(o.image)}`) : o.directory;
  // A new name each time: a webview would show its cached pictures otherwise.
  const own = o.directory === "" ? directory : path.join(directory, `ranking-${Date.now().toString(36)}`);
  const images = attacked
    ? { image: path.join(o.directory, attacked.before.image), attacked: path.join(o.directory, attacked.after.image) }
    : { image: o.image };
  const ranked = await services.engine.request(requests.rankPatches, { ...images, ...chosen, directory: own });
  services.runs.refresh();
  const prefix = path.relative(directory, own).split(path.sep).join("/");
  const result = prefix === "" ? ranked : prefixed(ranked, prefix);
  const onRemainder = ranked.onRemainder === "reflectPad" ? ranked.onRemainder : chosen.onRemainder;
  const kept = { settings: { ...chosen, patch: ranked.clean.patch, onRemainder }, result };
  await writeFile(path.join(directory, file), `${JSON.stringify(kept)}\n`);
  return { directory, ...kept };
}

export async function readRanking(directory: string): Promise<KeptRanking | undefined> {
  const read = await readJson(path.join(directory, file));
  if (!isRecord(read) || !isRecord(read["settings"]) || !isRecord(read["result"])) return undefined;
  return read as unknown as KeptRanking; // written here
}

/** The files of a ranking that is no longer shown; those of a run of its own stay with the run. */
export async function dropRanking(directory: string, result: RankPatchesResult | null | undefined): Promise<void> {
  const folder = result ? path.posix.dirname(result.image) : ".";
  if (/^ranking-[a-z0-9]+$/.test(folder)) await rm(path.join(directory, folder), { recursive: true, force: true });
}

function prefixed(ranked: RankPatchesResult, prefix: string): RankPatchesResult {
  const join = (name: string): string => `${prefix}/${name}`;
  const ranking = (one: PatchRanking): PatchRanking => ({ ...one, slices: one.slices.map(join) });
  return {
    ...ranked,
    image: join(ranked.image),
    clean: ranking(ranked.clean),
    attacked: ranked.attacked ? ranking(ranked.attacked) : null,
  };
}
