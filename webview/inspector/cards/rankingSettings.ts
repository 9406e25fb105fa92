import { entriesOf } from "../../../src/shared/catalog.ts";
import { fittingSides, sideRange } from "../../../src/shared/slices.ts";
import { fill, h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { button, checkbox, dropdown, icon, slider } from "../../lib/ui.ts";
import type { Context } from "../model.ts";
import type { RankingSettings } from "./rankingFlow.ts";
import { cutProblem, cutText, type ImageSize } from "./slices.ts";

const orders = [
  { value: "asc", text: "Low to high" },
  { value: "desc", text: "High to low" },
];
const presets: Readonly<Record<string, Pick<RankingSettings, "measure" | "order" | "reference">>> = {
  paper: { measure: "mutualInformation", order: "asc", reference: "mostSalient" },
  authors: { measure: "mutualInformation", order: "desc", reference: "minEntropy" },
};
const presetNames = [
  { value: "paper", text: "Paper" },
  { value: "authors", text: "Authors' code" },
  { value: "own", text: "Custom" },
];

interface Shown {
  readonly context: Context;
  readonly settings: RankingSettings;
  readonly size: ImageSize;
}
type Wish = (change: Partial<RankingSettings>) => void;

/** How the image is cut and ordered: every control acts at once. */
export function rankingSettings(wish: Wish): Part<Shown> {
  const side = sideControl(wish);
  const preset = dropdown("Preset", (value) => {
    const chosen = presets[value];
    if (chosen) wish(chosen);
  });
  const measure = dropdown("Measure", (value) => wish({ measure: value }));
  const order = dropdown("Order", (value) => wish({ order: value === "desc" ? "desc" : "asc" }));
  const reference = dropdown("Reference", (value) => wish({ reference: value }));
  const pad = checkbox(
    "Pad the edges",
    false,
    (on) => wish({ onRemainder: on ? "reflectPad" : "error" }),
    "Pad edges that do not make a slice",
  );
  let pointed: number | null = null;
  const useSlice = button("", () => {
    if (pointed !== null) wish({ reference: String(pointed) });
  });
  const controls = [measure.element, order.element, reference.element, preset.element, pad.element, useSlice];
  return {
    element: h("div", { class: "ranking-settings" }, side.element, h("div", { class: "toolbar" }, ...controls)),
    update(shown) {
      const { context, settings } = shown;
      side.update(shown);
      measure.set(
        entriesOf(context.state.catalog, "measure").map((e) => ({ value: e.id, text: e.title })),
        settings.measure,
      );
      order.set(orders, settings.order);
      const own = /^\d+$/.test(settings.reference) ? [{ value: settings.reference, text: `Slice ${settings.reference}` }] : [];
      reference.set(
        [{ value: "mostSalient", text: "Most salient" }, { value: "minEntropy", text: "Lowest entropy" }, ...own],
        settings.reference,
      );
      preset.set(presetNames, presetOf(settings));
      pad.set(settings.onRemainder === "reflectPad");
      pointed = context.local.slice ?? pointed;
      setText(useSlice, `Use slice ${pointed ?? 0} as reference`);
      show(useSlice, pointed !== null && String(pointed) !== settings.reference);
    },
  };
}

const presetOf = (settings: RankingSettings): string =>
  Object.entries(presets).find(
    ([, p]) => p.measure === settings.measure && p.order === settings.order && p.reference === settings.reference,
  )?.[0] ?? "own";

/** The slider over all sizes, the sizes that fit as buttons, and a card where the chosen one does not. */
function sideControl(wish: Wish): Part<Shown> {
  const range = slider("Slice size", { min: 1, max: 14, step: 1, value: 7 }, (patch) => wish({ patch }));
  const text = h("span", { class: "place" });
  const fitting = h("div", { class: "buttons", attributes: { role: "group", "aria-label": "Slice sizes that divide the image" } });
  // The card goes away with the press, so the focus moves on to the slider.
  const card = problemCard((change) => {
    wish(change);
    range.element.focus();
  });
  const sizes = onChange((height: number, width: number) => {
    const { min, max } = sideRange(height, width);
    Object.assign(range.element, { min: String(min), max: String(max) });
    const sides = fittingSides(height, width).filter((p) => p <= max);
    fill(fitting, ...sides.map((p) => sideButton(p, wish)));
  });
  const row = h("div", { class: "side-row" }, h("span", { class: "field-name" }, "Slice size"), range.element, text, fitting);
  return {
    element: h("div", { class: "stack" }, row, card.element),
    update(shown) {
      const { settings, size } = shown;
      sizes(...size);
      for (const one of fitting.children)
        if (one instanceof HTMLElement) one.setAttribute("aria-pressed", String(one.dataset["side"] === String(settings.patch)));
      const words = cutText(settings.patch, size);
      range.set(settings.patch, words);
      setText(text, words);
      card.update(shown);
    },
  };
}

/** What is wrong with the size, and the sizes beside it that are right. */
function problemCard(wish: Wish): Part<Shown> {
  const card = h("div", { class: "card warning", attributes: { role: "status" } });
  show(card, false);
  const draw = onChange((message: string, sides: string, canPad: boolean) => {
    show(card, message !== "");
    if (message === "") return;
    const nearest = sides === "" ? [] : sides.split(",").map(Number);
    const fixes = nearest.map((p) => button(`Use ${p} × ${p}`, () => wish({ patch: p }), { appearance: "primary" }));
    const pad = canPad ? button("Pad the edges", () => wish({ onRemainder: "reflectPad" })) : null;
    const advice =
      nearest.length > 0
        ? "Choose a size that divides both sides, or pad the edges by mirroring."
        : "No size divides both sides: pad the edges by mirroring.";
    const text = [h("p", {}, h("strong", {}, message)), h("p", {}, advice), h("div", { class: "buttons" }, ...fixes, pad)];
    fill(card, icon("warning"), h("div", { class: "card-text" }, ...text));
  });
  return {
    element: card,
    update({ settings, size }) {
      const problem = cutProblem(settings, size);
      draw(problem?.message ?? "", problem?.sides.join() ?? "", problem?.canPad ?? false);
    },
  };
}

const sideButton = (side: number, wish: Wish): HTMLElement =>
  button(String(side), () => wish({ patch: side }), {
    label: `Slices of ${side} × ${side}`,
    attributes: { "data-side": String(side) },
  });
