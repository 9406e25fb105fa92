import type { InspectorIntent } from "../../../src/shared/panels.ts";
import type { Part } from "../../lib/dom.ts";
import type { Context } from "../model.ts";
import { attention } from "./attention.ts";
import { defense } from "./defense.ts";
import { detection } from "./detection.ts";
import { ranking } from "./ranking.ts";
import { sequence } from "./sequence.ts";

/** Makes the cards of the Inspector. `beside` lie with the pictures, the others are sections below. */
export function createCards(send: (intent: InspectorIntent) => void) {
  const beside = attention(send);
  const sections: readonly Part<Context>[] = [sequence(send), defense(send), detection(send), ranking(send)];
  return { beside, sections };
}
