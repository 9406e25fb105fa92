import type { StudioChange, StudioIntent, StudioState } from "../../src/shared/patchStudio.ts";
import { errorCard } from "../lib/cards.ts";
import { h, type Part, setText, show } from "../lib/dom.ts";
import { button, dropdown } from "../lib/ui.ts";
import { type Context, targetName } from "./model.ts";
import { numberField } from "./parts/fields.ts";
import { place } from "./parts/place.ts";
import { preview } from "./parts/preview.ts";
import { print } from "./parts/print.ts";
import { classChoices } from "./parts/setup.ts";
import { successMap } from "./parts/successMap.ts";
import { train } from "./parts/train.ts";

/** The Patch Studio: a patch is trained or chosen above, and tried below. */
export function createView(send: (intent: StudioIntent) => void): { element: HTMLElement; update(state: StudioState): void } {
  let state: StudioState | null = null;
  const error = errorCard(send);
  const top = header();
  const training = train();
  const trials = trialSettings();
  const byHand = place();
  const tries = [trials, byHand, preview(), successMap((placement) => byHand.put(placement)), print()];
  const empty = h(
    "p",
    { class: "muted" },
    "Train a patch above, or use a picture as a sticker. Then place it on pictures, try it at random places, and print it.",
  );
  const below = h("div", { class: "stack" }, ...tries.map((part) => part.element));
  const element = h("main", { class: "panel studio" }, top.element, error.element, training.element, empty, below);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && state?.training?.status === "running" && !event.defaultPrevented) send({ kind: "cancel", what: "train" });
  });
  return {
    element,
    update(next) {
      state = next;
      const context: Context = { state: next, send };
      error.update(next.error);
      for (const part of [top, training]) part.update(context);
      show(empty, next.patch === null);
      show(below, next.patch !== null);
      if (next.patch) for (const part of tries) part.update(context);
    },
  };
}

function header(): Part<Context> {
  let context: Context | null = null;
  const subtitle = h("p", { class: "subtitle muted" });
  const choose = button("Use a patch or sticker…", () => context?.send({ kind: "choosePatch" }), {
    icon: "file-media",
    label: "Use a trained patch, or any picture as a sticker",
  });
  return {
    element: h(
      "header",
      { class: "panel-header" },
      h("div", { class: "titles" }, h("h1", {}, "Patch Studio"), subtitle),
      h("div", { class: "buttons" }, choose),
    ),
    update(next) {
      context = next;
      const text = subtitleOf(next.state);
      setText(subtitle, text);
      subtitle.title = text;
    },
  };
}

function subtitleOf(state: StudioState): string {
  const { patch } = state;
  if (!patch) return "No patch yet";
  const target = targetName(state);
  const { document } = patch;
  const what = document ? `${document.shape} of ${document.size[1]} × ${document.size[0]} pixels` : "sticker";
  return `${patch.name} · ${what}${target === null ? "" : ` · target class “${target}”`}`;
}

/** The model that the patch is tried on, and what a sticker is taken for. */
function trialSettings(): Part<Context> {
  let context: Context | null = null;
  const model = dropdown("Model to test on", (value) => change({ tryModel: value }));
  const hint = h("p", { class: "muted" });
  const change = (settings: StudioChange): void => context?.send({ kind: "settings", settings });
  const sticker = (next: Partial<{ area: number; target: number }>): void => {
    const now = context?.state.patch?.sticker;
    if (now) context?.send({ kind: "sticker", ...now, ...next });
  };
  const area = numberField("Sticker area (% of the image)", { low: 0.1, high: 100 }, (value) => sticker({ area: value / 100 }));
  const target = dropdown("Sticker target", (value) => sticker({ target: Number(value) }));
  const own = h("div", { class: "toolbar studio-toolbar" }, area.element, target.element);
  return {
    element: h("div", { class: "stack" }, h("div", { class: "toolbar studio-toolbar" }, model.element, hint), own),
    update(next) {
      context = next;
      const { patch, models, settings } = next.state;
      model.set(models, settings.tryModel);
      show(hint, patch?.document !== null);
      setText(
        hint,
        settings.tryModel === settings.trainModel
          ? "The model it was trained on."
          : "Another model than it was trained on: shows whether the patch transfers.",
      );
      show(own, patch !== null && patch.document === null);
      if (!patch) return;
      area.set(patch.sticker.area * 100);
      target.set(classChoices(next.state, "None"), String(patch.sticker.target));
    },
  };
}
