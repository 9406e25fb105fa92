import path from "node:path";
import { cardRecord } from "../../../shared/cardShapes.ts";
import { type CardId, type CardParams, type CardResult, cardIds, type Pick } from "../../../shared/cards.ts";
import { type FitRule, isFitRule } from "../../../shared/fit.ts";
import type { InspectorState } from "../../../shared/panels.ts";
import { attackImageResult } from "../../../shared/pictureShapes.ts";
import type { AttackImageResult } from "../../../shared/protocol.ts";
import { runFiles } from "../../../shared/runs.ts";
import { fields, fitting } from "../../../shared/shapes.ts";
import { isRecord, readWhole, writeWhole } from "../../files.ts";
import { isKnownPlace } from "../../workspace.ts";

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
  await writeWhole(path.join(directory, requestFile), `${JSON.stringify(request, null, 1)}\n`);
}
export async function readRequest(directory: string): Promise<InspectorRequest | undefined> {
  const read = await readWhole(path.join(directory, requestFile), fields);
  if (!read || typeof read["image"] !== "string" || typeof read["model"] !== "string") return undefined;
  const { image, model, attack, defenses, label, fit } = read;
  const picks = Array.isArray(defenses) ? defenses.filter(isPick) : [];
  const shown = (await isKnownPlace(image)) ? image : await ownPicture(directory);
  if (shown === undefined) return undefined;
  const request = { image: shown, model, attack: isPick(attack) ? attack : { id: "fgsm", params: {} }, defenses: picks };
  return { ...request, ...(isLabel(label) ? { label } : {}), ...(isFitRule(fit) ? { fit } : {}) };
}
/** A run of somebody else may name any picture: one that is not of the open folders is looked at as the run itself keeps it. */
async function ownPicture(directory: string): Promise<string | undefined> {
  const result = await readResult(directory);
  return result && path.join(directory, result.before.image);
}

const isLabel = (value: unknown): value is ChosenLabel => isRecord(value) && "index" in value && typeof value["name"] === "string";
const isPick = (value: unknown): value is Pick => isRecord(value) && typeof value["id"] === "string" && isRecord(value["params"]);

export async function writeCards(directory: string, cards: CardRecords): Promise<void> {
  await writeWhole(path.join(directory, cardsFile), `${JSON.stringify(cards)}\n`);
}

/** What a run folder has of an attack and of cards. */
export interface Kept {
  readonly result: AttackImageResult | undefined;
  readonly cards: CardRecords;
}
export async function readKept(directory: string): Promise<Kept> {
  const read = await readWhole(path.join(directory, cardsFile), fields);
  // A card that is damaged is left out; it can be asked for again.
  const cards = cardIds.flatMap((id) => {
    const record = read ? fitting(cardRecord(id), read[id]) : undefined;
    return record ? [[id, record] as const] : [];
  });
  return { result: await readResult(directory), cards: Object.fromEntries(cards) as CardRecords };
}

/** The engine's result of an attack on one image, when the run got that far. */
export async function readResult(directory: string): Promise<AttackImageResult | undefined> {
  return readWhole(path.join(directory, runFiles.result), attackImageResult);
}
