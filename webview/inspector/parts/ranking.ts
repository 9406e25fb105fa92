import type { InspectorIntent, RankingSettings } from "../../../src/shared/panels.ts";
import type { PatchRanking, RankPatchesResult } from "../../../src/shared/protocol.ts";
import { errorCard } from "../../lib/cards.ts";
import { h, onChange, type Part, show } from "../../lib/dom.ts";
import { figureCard } from "../../lib/figureCard.ts";
import { loadPixels } from "../../lib/pixels.ts";
import { progressRing, section } from "../../lib/ui.ts";
import { type Context, shownPictures } from "../model.ts";
import { filmstrip } from "./filmstrip.ts";
import { rankedView } from "./rankedView.ts";
import { type Flow, follow, nextRequest, paperSettings } from "./rankingFlow.ts";
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
    const next = element.open ? nextRequest(flow, context?.state.ranking ?? null, size) : null;
    if (next) send({ kind: "rank", settings: next });
    flow.asked = next ?? flow.asked;
  };
  const settings = rankingSettings((change) => {
    if (flow.wish) flow.wish = { ...flow.wish, ...change };
    ask();
    context?.set({});
  });
  const error = errorCard(send);
  const ring = h("div", { class: "waiting" }, progressRing("Ranking the slices"));
  const view = rankedView(() => context);
  const strip = filmstrip((slice) => context?.set({ slice }));
  const chart = figureCard((name, dataUrl) => send({ kind: "save", name, dataUrl }));
  const body = h("div", { class: "ranking-body" }, h("div", { class: "ranked" }, view.element, strip.element), chart.element);
  const element = section("Patch ranking", false, settings.element, error.element, ring, body);
  element.addEventListener("toggle", () => context?.set({}));
  const measure = measurer((measured) => {
    size = measured;
    context?.set({});
  });
  const drawResult = onChange((result: RankPatchesResult, shown: PatchRanking, now: RankingSettings) =>
    chart.update(scoreFigure(result, shown, now)),
  );
  return {
    element,
    update(next) {
      context = next;
      const { state, local } = next;
      const ranked = state.ranking;
      // "Rank Patches…" of an image that was not attacked: the slices are all there is to see.
      element.open ||= ranked !== null && !state.result && !isShown;
      isShown ||= ranked !== null;
      const known = state.result?.size ?? state.clean?.size;
      if (known) size = [known[0], known[1]];
      else measure(shownPictures(state, null).clean);
      follow(flow, ranked, state.status === "running");
      if (size) flow.wish ??= paperSettings(size);
      if (state.status !== "running") ask();
      error.update(ranked?.error ?? null);
      show(settings.element, size !== null);
      if (size && flow.wish) settings.update({ context: next, settings: flow.wish, size });
      show(ring, ranked?.status === "running" && !ranked.result);
      show(body, Boolean(ranked?.result));
      body.classList.toggle("stale", size !== null && flow.wish !== null && cutProblem(flow.wish, size) !== null);
      if (!ranked?.result || !element.open) return;
      const shown = (local.rankedImage === "attacked" ? ranked.result.attacked : null) ?? ranked.result.clean;
      const other = shown === ranked.result.clean ? ranked.result.attacked : ranked.result.clean;
      view.update({ context: next, result: ranked.result });
      strip.update({ ranking: shown, other, isClean: shown === ranked.result.clean, base: state.base, pointed: local.slice });
      drawResult(ranked.result, shown, ranked.settings);
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
