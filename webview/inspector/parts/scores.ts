import { probability } from "../../../src/shared/format.ts";
import type { AttackImageResult, ClassScore } from "../../../src/shared/protocol.ts";
import { fill, h, onChange, type Part, show } from "../../lib/dom.ts";
import { section } from "../../lib/ui.ts";
import { type Context, likeliest, type ScorePair, scorePairs, shownOf } from "../model.ts";

const most = 5;
/** Class probabilities before and after, as bars with numbers; after the iteration that is shown. */
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
  const draw = onChange((result: AttackImageResult | null, after: readonly ClassScore[]) => {
    show(element, result !== null);
    if (!result) return;
    const pairs = scorePairs(result.before.scores, after);
    fill(top, table(likeliest(pairs, most, result.target?.index), result));
    show(rest, pairs.length > most && after.length === result.before.scores.length);
    fill(all, table(pairs, result));
  });
  return { element, update: ({ state, local }) => draw(state.result, shownOf(state, local.scrub).scores) };
}

function table(pairs: readonly ScorePair[], result: AttackImageResult): HTMLElement {
  const head = ["Class", "Clean", "Adversarial"].map((text) => h("th", { attributes: { scope: "col" } }, text));
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
            result.labelKnown && pair.index === result.label.index ? h("span", { class: "muted" }, " (label)") : null,
            pair.index === result.target?.index ? h("span", { class: "muted" }, " (target)") : null,
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
