import { probability } from "../../../src/shared/format.ts";
import type { AttackImageResult, ClassScore } from "../../../src/shared/protocol.ts";
import { fill, h, onChange, type Part, show } from "../../lib/dom.ts";
import { section } from "../../lib/ui.ts";
import type { Context } from "../model.ts";

const most = 10;
export interface ScorePair {
  readonly name: string;
  readonly index: number;
  readonly before: number;
  readonly after: number;
}

/** Classes with both probabilities, the largest of the two first. */
export function scorePairs(before: readonly ClassScore[], after: readonly ClassScore[]): ScorePair[] {
  const later = new Map(after.map((s) => [s.index, s.probability]));
  return before
    .map((s) => ({ name: s.name, index: s.index, before: s.probability, after: later.get(s.index) ?? 0 }))
    .sort((a, b) => Math.max(b.before, b.after) - Math.max(a.before, a.after));
}

/** Class probabilities before and after, as bars with numbers. */
export function scores(): Part<Context> {
  const top = h("div");
  const all = h("div", { class: "table-scroll" });
  const rest = section("All class scores", false, all);
  const element = h(
    "section",
    { class: "scores", attributes: { "aria-label": "Class probabilities" } },
    h("h2", {}, "Class probabilities"),
    top,
    rest,
  );
  const draw = onChange((result: AttackImageResult | null) => {
    show(element, result !== null);
    if (!result) return;
    const pairs = scorePairs(result.before.scores, result.after.scores);
    fill(top, table(pairs.slice(0, Math.min(most, 5)), result));
    show(rest, pairs.length > 5);
    fill(all, table(pairs, result));
  });
  return { element, update: ({ state }) => draw(state.result) };
}

function table(pairs: readonly ScorePair[], result: AttackImageResult): HTMLElement {
  const head = ["class", "clean", "adversarial"].map((text) => h("th", { attributes: { scope: "col" } }, text));
  return h(
    "table",
    { class: "score-table" },
    h("thead", {}, h("tr", {}, ...head)),
    h(
      "tbody",
      {},
      ...pairs.map((pair) =>
        h(
          "tr",
          {},
          h(
            "th",
            { title: pair.name, attributes: { scope: "row" } },
            pair.name,
            pair.index === result.label.index ? h("span", { class: "muted" }, " (label)") : null,
          ),
          bar(pair.before, "clean"),
          bar(pair.after, "adversarial"),
        ),
      ),
    ),
  );
}

function bar(value: number, kind: string): HTMLElement {
  const fillBar = h("span", { class: `bar ${kind}` });
  fillBar.style.width = `${Math.max(value * 100, 0.5)}%`;
  return h(
    "td",
    {},
    h("div", { class: "bar-cell" }, h("span", { class: "bar-track" }, fillBar), h("span", { class: "bar-number" }, probability(value))),
  );
}
