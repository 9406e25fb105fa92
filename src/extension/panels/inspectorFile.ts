import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { AttackImageResult } from "../../shared/protocol.ts";
import { runFiles } from "../../shared/runs.ts";
import { isRecord, readJson } from "../files.ts";
import { type KeptRanking, readRanking } from "./ranking.ts";

export interface Pick {
  readonly id: string;
  readonly params: Readonly<Record<string, unknown>>;
}
/** What an inspector was asked; kept in the run folder as `inspector.json`, so that the panel comes back after a reload. */
export interface InspectorRequest {
  readonly image: string;
  readonly model: string;
  readonly attack: Pick;
  readonly explanation: Pick;
}
const requestFile = "inspector.json";

export async function writeRequest(directory: string, request: InspectorRequest): Promise<void> {
  await writeFile(path.join(directory, requestFile), `${JSON.stringify(request, null, 1)}\n`);
}
export async function readRequest(directory: string): Promise<InspectorRequest | undefined> {
  const read = await readJson(path.join(directory, requestFile));
  if (!isRecord(read) || typeof read["image"] !== "string" || typeof read["model"] !== "string") return undefined;
  const { image, model } = read;
  return { image, model, attack: pickOf(read["attack"], "fgsm"), explanation: pickOf(read["explanation"], "gradCam") };
}
const pickOf = (value: unknown, fallback: string): Pick =>
  isRecord(value) && typeof value["id"] === "string"
    ? { id: value["id"], params: isRecord(value["params"]) ? value["params"] : {} }
    : { id: fallback, params: {} };

/** The engine's result of an attack on one image, when the run got that far. */
export async function readResult(directory: string): Promise<AttackImageResult | undefined> {
  const read = await readJson(path.join(directory, runFiles.result));
  if (!isRecord(read) || !isRecord(read["before"]) || !isRecord(read["after"])) return undefined;
  return read as unknown as AttackImageResult; // written by our engine
}

/** What a run folder has of an attack and of a ranking. */
export interface Kept {
  readonly result: AttackImageResult | undefined;
  readonly ranking: KeptRanking | undefined;
}
export const readKept = async (directory: string): Promise<Kept> => ({
  result: await readResult(directory),
  ranking: await readRanking(directory),
});
