import type { CardId, CardState } from "../../src/shared/cards.ts";
import { progressPercent } from "../../src/shared/format.ts";
import type { InspectorIntent } from "../../src/shared/panels.ts";
import { errorCard } from "../lib/cards.ts";
import { h, type Part, setText, show } from "../lib/dom.ts";
import { button, icon, progressRing } from "../lib/ui.ts";

/**
 * What every card has: that it computes, with a cancel of its own; that it was cancelled, with a way to ask again; and what went wrong,
 * with the fix as a button.
 */
export function cardStatus(id: CardId, computing: string, send: (intent: InspectorIntent) => void): Part<CardState | undefined> {
  let card: CardState | undefined;
  const cancel = button("Cancel", () => send({ kind: "cancelCard", id }), { icon: "debug-stop", label: `Cancel: ${computing}` });
  // Hidden from screen readers, which would read out every step.
  const share = h("span", { class: "muted", attributes: { "aria-hidden": "true" } });
  const running = h(
    "div",
    { class: "card-running", attributes: { role: "status" } },
    progressRing(computing),
    h("span", { class: "muted" }, `${computing}…`),
    share,
    cancel,
  );
  const again = button("Try again", () => card && send({ kind: "card", id, params: card.params } as InspectorIntent), { icon: "refresh" });
  const cancelled = h("div", { class: "card-running", attributes: { role: "status" } }, icon("circle-slash"), "Cancelled.", again);
  const error = errorCard(send);
  for (const line of [running, cancelled]) show(line, false);
  return {
    element: h("div", { class: "card-status" }, running, cancelled, error.element),
    update(next) {
      card = next;
      show(running, next?.status === "running");
      const { done, total } = next?.progress ?? { done: 0, total: 0 };
      setText(share, total > 0 ? progressPercent(done / total) : "");
      show(cancelled, next?.status === "cancelled");
      error.update(next?.error ?? null);
    },
  };
}
