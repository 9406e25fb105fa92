import type { SequencePoint, SequenceResult } from "../../../src/shared/cards.ts";
import type { InspectorIntent } from "../../../src/shared/panels.ts";
import { fileUrl } from "../../lib/connect.ts";
import { columnsOf, fill, h, onChange, type Part, roving, show } from "../../lib/dom.ts";
import { section } from "../../lib/ui.ts";
import { cardStatus } from "../card.ts";
import { type Context, explanationOf, iterationText, scoreText } from "../model.ts";

/** Attention along the attack as a strip of pictures, by the explanation that the maps above have; computed when the section is opened. */
export function sequence(send: (intent: InspectorIntent) => void): Part<Context> {
  let context: Context | null = null;
  const status = cardStatus("sequence", "Computing the attention along the attack", send);
  const strip = h("ul", { class: "sequence plain", attributes: { "aria-label": "Attention along the attack" } });
  const select = roving(strip, "button", () => columnsOf(strip, "button"));
  const words = h(
    "p",
    { class: "muted" },
    "Each for the class that is predicted there; IoU: overlap of its area with that of the clean image.",
  );
  const element = section("Attention along the attack", false, words, status.element, strip);
  element.addEventListener("toggle", () => context?.set({}));
  const draw = onChange((result: SequenceResult | null, base: string) => {
    fill(
      strip,
      ...(result?.points ?? []).map((point) =>
        h(
          "li",
          {},
          cell(point, base, (scrub) => context?.set({ scrub })),
        ),
      ),
    );
    select(0);
  });
  const mark = onChange((iteration: number | null, _result: SequenceResult | null) => {
    for (const one of strip.querySelectorAll<HTMLElement>("button"))
      one.setAttribute("aria-current", String(Number(one.dataset["iteration"]) === iteration));
  });
  // One request for each attack and explanation: one that failed or was cancelled is asked again by its button.
  const ask = onChange((run: string, explanation: string) => {
    if (run !== "" && explanation !== "") send({ kind: "card", id: "sequence", params: { explanation: JSON.parse(explanation) } });
  });
  return {
    element,
    update(next) {
      context = next;
      const { state, local } = next;
      const card = state.cards.sequence;
      const isAttacked = state.result !== null && state.status !== "running";
      show(element, isAttacked);
      const wanted = explanationOf(state);
      const isThere = card?.status === "done" && JSON.stringify(card.params.explanation) === JSON.stringify(wanted);
      if (isAttacked && element.open && wanted && !isThere) ask(state.runId, JSON.stringify(wanted));
      status.update(card);
      const result = card?.result ?? null;
      draw(result, state.base);
      mark(local.scrub, result);
      strip.classList.toggle("stale", card?.status === "running");
    },
  };
}

function cell({ iteration, image, prediction, iou }: SequencePoint, base: string, scrub: (iteration: number) => void): HTMLElement {
  const overlap = iou === null ? "no area" : `IoU ${iou.toFixed(2)}`;
  return h(
    "button",
    { attributes: { type: "button", "data-iteration": iteration }, on: { click: () => scrub(iteration) } },
    h("img", { attributes: { src: fileUrl(base, image), alt: "" } }),
    h("span", {}, iterationText(iteration)),
    h("span", { class: "muted" }, scoreText(prediction)),
    h("span", { class: "muted" }, overlap),
  );
}
