import type { InspectorIntent } from "../../../src/shared/panels.ts";
import { h, onChange, type Part, show } from "../../lib/dom.ts";
import { figureCard } from "../../lib/figureCard.ts";
import { loadPixels } from "../../lib/pixels.ts";
import { section } from "../../lib/ui.ts";
import { cardStatus } from "../card.ts";
import { type Context, shownOf } from "../model.ts";
import { filmstrip } from "./filmstrip.ts";
import { rankedView } from "./rankedView.ts";
import { type Flow, follow, nextRequest, paperSettings, settingsOf } from "./rankingFlow.ts";
import { rankingSettings } from "./rankingSettings.ts";
import { scoreFigure } from "./scoreChart.ts";
import { cutProblem, type ImageSize } from "./slices.ts";

/** The slices of the image in volume order, as the defence would stack them; computed when the section is opened, and at every change. */
export function ranking(send: (intent: InspectorIntent) => void): Part<Context> {
  let context: Context | null = null;
  let size: ImageSize | null = null;
  let isShown = false;
  const flow: Flow = { wish: null, asked: null };
  const ask = (): void => {
    const next = element.open ? nextRequest(flow, context?.state.cards.ranking, size) : null;
    if (next) send({ kind: "card", id: "ranking", params: next });
    flow.asked = next ?? flow.asked;
  };
  const settings = rankingSettings((change) => {
    if (flow.wish) flow.wish = { ...flow.wish, ...change };
    ask();
    redraw();
  });
  const status = cardStatus("ranking", "Ranking the slices", send);
  const view = rankedView(() => context);
  const strip = filmstrip((slice) => context?.set({ slice }));
  const chart = figureCard((name, dataUrl) => send({ kind: "save", name, dataUrl }));
  const body = h("div", { class: "ranking-body" }, h("div", { class: "ranked" }, view.element, strip.element), chart.element);
  const element = section("Patch ranking", false, settings.element, status.element, body);
  const redraw = (): void => context?.set({});
  element.addEventListener("toggle", redraw);
  const measure = measurer((measured) => {
    size = measured;
    redraw();
  });
  const plot = onChange((...now: Parameters<typeof scoreFigure>) => chart.update(scoreFigure(...now)));
  return {
    element,
    update(next) {
      context = next;
      const { state, local } = next;
      const card = state.cards.ranking;
      const result = card?.result ?? null;
      // "Rank Patches…" of an image that was not attacked: the slices are all there is to see.
      element.open ||= card !== undefined && !state.result && !isShown;
      isShown ||= card !== undefined;
      const known = state.result?.size ?? state.clean?.size;
      size = known ? [known[0], known[1]] : size;
      if (!known) measure(shownOf(state, null).clean);
      follow(flow, card, state.status === "running");
      if (size) flow.wish ??= paperSettings(size);
      if (state.status !== "running") ask();
      show(settings.element, size !== null);
      if (size && flow.wish) settings.update({ context: next, settings: flow.wish, size });
      // While a slider is dragged the slices follow: a line that comes and goes would only flicker.
      status.update(card?.status === "running" && result ? undefined : card);
      show(body, result !== null);
      body.classList.toggle("stale", size !== null && flow.wish !== null && cutProblem(flow.wish, size) !== null);
      const used = settingsOf(card);
      if (!result || !used || !element.open) return;
      const shown = (local.rankedImage === "attacked" && result.attacked) || result.clean;
      const other = shown === result.clean ? result.attacked : result.clean;
      view.update({ context: next, result });
      strip.update({ ranking: shown, other, isClean: shown === result.clean, base: state.base, pointed: local.slice });
      plot(result, shown, used);
    },
  };
}

/** Of an image that was not attacked nobody has said the size yet: the picture itself does. */
const measurer = (measured: (size: ImageSize) => void): ((url: string) => void) =>
  onChange((url: string) => {
    void loadPixels(url).then(
      ({ width, height }) => measured([height, width]),
      () => undefined,
    );
  });
