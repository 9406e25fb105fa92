import type { CardId, CardParams, CardProgress, CardResult, Inspected } from "../../../../shared/cards.ts";
import type { AttackImageResult } from "../../../../shared/protocol.ts";
import type { Services } from "../../../services.ts";
import type { CardRecord } from "../file.ts";
import { attention } from "./attention.ts";
import { calibration } from "./calibration.ts";
import { defense } from "./defense.ts";
import { detection } from "./detection.ts";
import { ranking } from "./ranking.ts";
import { sequence } from "./sequence.ts";

/** One request of a card. */
export interface CardTask<K extends CardId> {
  readonly services: Services;
  readonly inspected: Inspected;
  /** Result of the attack on show. */
  readonly attacked: AttackImageResult | null;
  readonly params: CardParams<K>;
  readonly signal: AbortSignal;
  /** Shows how far the request is. */
  tell(progress: CardProgress): void;
}
/** How a card asks the engine. */
export interface CardKind<K extends CardId> {
  /** Parameters as they were used (what was left to the engine is filled in), and the answer; files are relative to the run folder. */
  ask(task: CardTask<K>): Promise<CardRecord<K>>;
  /** Files of an answer that are shown at once. */
  pictures(result: CardResult<K>): readonly string[];
  /** These parameters ask for nothing: the card is emptied. */
  isEmpty?(params: CardParams<K>): boolean;
  /** Asked again for the images of a new attack, with the parameters that it had; undefined leaves it empty until a person asks. */
  again(params: CardParams<K>): CardParams<K> | undefined;
  /** Parameters that only say how the answer is read: it serves for other values of them as well. */
  readonly readBy?: readonly (keyof CardParams<K>)[];
  /** These parameters leave something to a person, who is asked each time. */
  isOpen?(params: CardParams<K>): boolean;
  /** The answer is about the model and what stands in front of it, whatever the image: it stays when the image is attacked again. */
  readonly isOfModel?: true;
}

/** All cards of the Inspector. */
export const cards: { readonly [K in CardId]: CardKind<K> } = { attention, sequence, defense, ranking, detection, calibration };
