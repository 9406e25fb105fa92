import { count, plural } from "../../src/shared/format.ts";
import type { ModelIntent, ModelState } from "../../src/shared/pages.ts";
import { errorCard } from "../lib/cards.ts";
import { h, type Part, setText, show } from "../lib/dom.ts";
import { button, enable, icon, progressRing } from "../lib/ui.ts";
import { shapeText } from "./layers.ts";
import { check } from "./parts/check.ts";
import { classNames } from "./parts/classNames.ts";
import { contract } from "./parts/contract.ts";
import { layers } from "./parts/layers.ts";
import { results } from "./parts/results.ts";

/** What a model file holds, how pictures reach it, and what was found out about it so far. */
export function createView(send: (intent: ModelIntent) => void): { element: HTMLElement; update(state: ModelState): void } {
  const title = h("h1");
  const subtitle = h("p", { class: "muted subtitle" });
  const facts = h("p", { class: "muted subtitle" });
  const evaluate = button("Evaluate…", () => send({ kind: "evaluate" }), { icon: "beaker", appearance: "primary" });
  const attack = button("Attack…", () => send({ kind: "attack" }), { icon: "shield" });
  const explain = button("Explain…", () => send({ kind: "explain" }), { icon: "eye" });
  const error = errorCard(send);
  const waiting = h("p", { class: "waiting", attributes: { role: "status" } }, progressRing("Reading the model"), "Reading the model…");
  const parts: readonly Part<ModelState>[] = [warnings(), check(send), contract(send), results(send), classNames(), layers()];
  const body = h("div", { class: "page-body" }, ...parts.map(({ element }) => element));
  const header = h(
    "header",
    { class: "panel-header" },
    h("div", { class: "titles" }, title, subtitle, facts),
    h("div", { class: "buttons" }, evaluate, attack, explain),
  );
  return {
    element: h("main", { class: "panel page model" }, header, error.element, waiting, body),
    update(state) {
      setText(title, state.title);
      setText(subtitle, state.path);
      setText(facts, summary(state));
      subtitle.title = state.path;
      error.update(state.error);
      show(waiting, state.status === "loading");
      show(body, state.inspection !== null);
      for (const control of [evaluate, attack, explain]) enable(control, state.inspection !== null);
      if (state.inspection) for (const part of parts) part.update(state);
    },
  };
}

const summary = ({ inspection }: ModelState): string =>
  inspection
    ? `Input ${shapeText(inspection.inputShape.slice(1))} · ${plural(inspection.classes, "class", "classes")} · ${count(inspection.parameters)} parameters`
    : "";

const sentence = (note: string): string => `${note.charAt(0).toUpperCase()}${note.slice(1)}.`;

function warnings(): Part<ModelState> {
  const element = h("section", { class: "stack", attributes: { "aria-label": "Warnings and notes" } });
  const card = (kind: "warning" | "info") => (text: string) =>
    h("div", { class: `card ${kind}` }, icon(kind), h("div", { class: "card-text" }, h("p", {}, text)));
  return {
    element,
    update({ inspection }) {
      const { warnings: texts = [], notes = [] } = inspection ?? {};
      show(element, texts.length + notes.length > 0);
      element.replaceChildren(...texts.map(card("warning")), ...notes.map((note) => card("info")(sentence(note))));
    },
  };
}
