import { writeFile } from "node:fs/promises";
import path from "node:path";
import type { CardId, CardParams, CardResult, Pick } from "../../../shared/cards.ts";
import { type FitRule, isFitRule } from "../../../shared/fit.ts";
import type { InspectorState } from "../../../shared/panels.ts";
import type { AttackImageResult } from "../../../shared/protocol.ts";
import { runFiles } from "../../../shared/runs.ts";
import { isRecord, readJson } from "../../files.ts";

/** What an inspector is about; kept in the run folder as `inspector.json`, so that the panel comes back after a reload. */
export interface InspectorRequest {
  readonly image: string;
  readonly model: string;
  readonly attack: Pick;
  /** What the attack goes through, first met first. */
  readonly defenses: readonly Pick[];
  /** True class as a person chose it; null for none. Left out, the files around the picture may say it. */
  readonly label?: ChosenLabel | null;
  /** How a picture of another size is fitted; as the model's contract says when left out. */
  readonly fit?: FitRule | null;
}
export type ChosenLabel = NonNullable<InspectorState["label"]>;
/** What a card was asked and answered. */
export interface CardRecord<K extends CardId = CardId> {
  readonly params: CardParams<K>;
  readonly result: CardResult<K>;
}
export type CardRecords = { readonly [K in CardId]?: CardRecord<K> };

const requestFile = "inspector.json";
const cardsFile = "cards.json";

export async function writeRequest(directory: string, request: InspectorRequest): Promise<void> {
  await writeFile(path.join(directory, requestFile), `${JSON.stringify(request, null, 1)}\n`);
}
export async function readRequest(directory: string): Promise<InspectorRequest | undefined> {
  const read = await readJson(path.join(directory, requestFile));
  if (!isRecord(read) || typeof read["image"] !== "string" || typeof read["model"] !== "string") return undefined;
  const { image, model, attack, defenses, label, fit } = read;
  const picks = Array.isArray(defenses) ? defenses.filter(isPick) : [];
  const request = { image, model, attack: isPick(attack) ? attack : { id: "fgsm", params: {} }, defenses: picks };
  return { ...request, ...(isLabel(label) ? { label } : {}), ...(isFitRule(fit) ? { fit } : {}) };
}
const isLabel = (value: unknown): value is ChosenLabel => isRecord(value) && "index" in value && typeof value["name"] === "string";
const isPick = (value: unknown): value is Pick => isRecord(value) && typeof value["id"] === "string" && isRecord(value["params"]);

export async function writeCards(directory: string, cards: CardRecords): Promise<void> {
  await writeFile(path.join(directory, cardsFile), `${JSON.stringify(cards)}\n`);
}

/** What a run folder has of an attack and of cards. */
export interface Kept {
  readonly result: AttackImageResult | undefined;
  readonly cards: CardRecords;
}
export async function readKept(directory: string): Promise<Kept> {
  const cards = await readJson(path.join(directory, cardsFile));
  return { result: await readResult(directory), cards: isRecord(cards) ? (cards as CardRecords) : {} }; // written above
}

/** The engine's result of an attack on one image, when the run got that far. */
export async function readResult(directory: string): Promise<AttackImageResult | undefined> {
  const read = await readJson(path.join(directory, runFiles.result));
  if (!isRecord(read) || !isRecord(read["before"]) || !isRecord(read["after"]) || !Array.isArray(read["trace"])) return undefined;
  return read as unknown as AttackImageResult; // written by our engine
}
