import { entriesOf } from "../../../src/shared/catalog.ts";
import type { InspectorIntent, RankingSettings } from "../../../src/shared/panels.ts";
import type { PatchRanking, RankPatchesResult } from "../../../src/shared/protocol.ts";
import { errorCard } from "../../lib/cards.ts";
import { createChart } from "../../lib/chart.ts";
import { fileUrl } from "../../lib/connect.ts";
import { fill, h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { number, plural, words } from "../../lib/format.ts";
import { createPicture } from "../../lib/image.ts";
import { createLoupe } from "../../lib/loupe.ts";
import { loadPixels, type Pixels } from "../../lib/pixels.ts";
import { button, dropdown, progressRing, section } from "../../lib/ui.ts";
import type { Context } from "../model.ts";
import { filmstrip } from "./filmstrip.ts";
import { divisors, movedSlices, placesOf, scoreOf } from "./slices.ts";

const firstSettings: RankingSettings = { patch: 7, measure: "mutualInformation", order: "desc", reference: "mostSalient" };
const orders = [
  { value: "desc", text: "high to low" },
  { value: "asc", text: "low to high" },
];

/** The slices of the image in volume order, as the defence would stack them; computed when the section is opened. */
export function ranking(send: (intent: InspectorIntent) => void): Part<Context> {
  let context: Context | null = null;
  let isShown = false;
  const current = (): RankingSettings => context?.state.ranking?.settings ?? { ...firstSettings, patch: defaultPatch(context) };
  const rank = (change: Partial<RankingSettings> = {}): void => send({ kind: "rank", settings: { ...current(), ...change } });
  const error = errorCard({ fix: (id) => send({ kind: "fix", id }), showLog: () => send({ kind: "showLog" }) });
  const ring = h("div", { class: "waiting" }, progressRing("Ranking the slices"));
  const settings = settingsRow(rank);
  const view = rankedView(() => context);
  const strip = filmstrip((slice) => context?.set({ slice }));
  const chart = createChart((name, dataUrl) => send({ kind: "save", name, dataUrl }));
  const body = h("div", { class: "ranking-body" }, view.element, strip.element, chart.element);
  const element = section("Patch ranking", false, settings.element, error.element, ring, body);
  element.addEventListener("toggle", () => {
    if (element.open && context && !context.state.ranking) rank();
    else context?.set({});
  });
  const drawChart = onChange((shown: PatchRanking, settingsNow: RankingSettings) => chart.update(...scoreChart(shown, settingsNow)));
  return {
    element,
    update(next) {
      context = next;
      const { ranking: state } = next.state;
      // "Rank Patches…" of an image that was not attacked: the slices are all there is to see.
      if (state && !next.state.result && !isShown) element.open = true;
      isShown ||= state !== null;
      settings.update({ context: next, settings: current() });
      error.update(state?.error ?? null);
      show(ring, state?.status === "running");
      show(body, Boolean(state?.result));
      if (!state?.result || !element.open) return;
      const shown = (next.local.rankedImage === "attacked" ? state.result.attacked : null) ?? state.result.clean;
      view.update({ context: next, result: state.result });
      strip.update({ ranking: shown, clean: state.result.clean, base: next.state.base });
      drawChart(shown, state.settings);
    },
  };
}

const defaultPatch = (context: Context | null): number => {
  const size = context?.state.result?.size ?? context?.state.clean?.size;
  const fitting = size ? divisors(size[0], size[1]) : [firstSettings.patch];
  return fitting.includes(firstSettings.patch)
    ? firstSettings.patch
    : (fitting.find((p) => (size?.[0] ?? 0) / p <= 8) ?? fitting[0] ?? firstSettings.patch);
};

function settingsRow(rank: (change: Partial<RankingSettings>) => void): Part<{ context: Context; settings: RankingSettings }> {
  const patch = dropdown("patch", (value) => rank({ patch: Number(value) }));
  const measure = dropdown("measure", (value) => rank({ measure: value }));
  const order = dropdown("order", (value) => rank({ order: value === "asc" ? "asc" : "desc" }));
  const reference = dropdown("reference", (value) => rank({ reference: value }));
  const useSlice = button("Take the chosen slice as reference", () => {
    if (chosen !== null) rank({ reference: String(chosen) });
  });
  let chosen: number | null = null;
  return {
    element: h("div", { class: "toolbar" }, patch.element, measure.element, order.element, reference.element, useSlice),
    update({ context, settings }) {
      const size = context.state.result?.size ?? context.state.clean?.size ?? [28, 28];
      const sides = [...new Set([...divisors(size[0], size[1]), settings.patch])].sort((a, b) => a - b);
      patch.set(
        sides.map((p) => ({ value: String(p), text: `${p} × ${p}` })),
        String(settings.patch),
      );
      measure.set(
        entriesOf(context.state.catalog, "measure").map((e) => ({ value: e.id, text: e.title })),
        settings.measure,
      );
      order.set(orders, settings.order);
      const own = /^\d+$/.test(settings.reference) ? [{ value: settings.reference, text: `slice ${settings.reference}` }] : [];
      reference.set(
        [{ value: "mostSalient", text: "most salient" }, { value: "minEntropy", text: "least entropy" }, ...own],
        settings.reference,
      );
      chosen = context.local.slice ?? chosen;
      show(useSlice, chosen !== null && String(chosen) !== settings.reference);
    },
  };
}

/** The image with the slice outlined, the switch between clean and attacked, and what moved. */
function rankedView(context: () => Context | null): Part<{ context: Context; result: RankPatchesResult }> {
  const picture = createPicture(createLoupe());
  const moved = h("p", { attributes: { "aria-live": "polite" } });
  const ties = h("p", { class: "muted" });
  const sides = (["clean", "attacked"] as const).map((side) => ({
    side,
    control: button(side, () => context()?.set({ rankedImage: side })),
  }));
  const group = h(
    "div",
    { class: "buttons", attributes: { role: "group", "aria-label": "Image whose slices are shown" } },
    ...sides.map((s) => s.control),
  );
  let pixels: Pixels | null = null;
  const load = onChange((url: string) => {
    void loadPixels(url).then((loaded) => {
      pixels = loaded;
      context()?.set({});
    });
  });
  return {
    element: h("div", { class: "ranked-view" }, h("figure", {}, picture.element), h("div", {}, group, moved, ties)),
    update({ context: { state, local }, result }) {
      const attacked = local.rankedImage === "attacked" && result.attacked !== null;
      load(fileUrl(state.base, attacked && state.result ? state.result.after.image : result.image));
      const { patch, columns, rows } = result.clean;
      const at = local.slice;
      const frame =
        at === null ? [] : [{ row: Math.floor(at / columns) * patch, column: (at % columns) * patch, height: patch, width: patch }];
      picture.draw(
        pixels && [{ pixels, opacity: 1 }],
        `Image in ${rows} rows and ${columns} columns of slices${at === null ? "" : `, slice ${at} outlined`}`,
        frame,
      );
      show(group, result.attacked !== null);
      for (const { side, control } of sides) control.setAttribute("aria-pressed", String((side === "attacked") === attacked));
      const count = result.attacked ? movedSlices(result.clean, result.attacked).size : 0;
      setText(
        moved,
        result.attacked
          ? `The attack moved ${count} of ${plural(result.clean.Z, "slice")} to another place.`
          : plural(result.clean.Z, "slice"),
      );
      show(ties, result.clean.manyTies);
      fill(ties, "More than half of the scores tie: with this measure the order says little.");
    },
  };
}

function scoreChart(shown: PatchRanking, settings: RankingSettings) {
  const places = placesOf(shown);
  const finite = places.map((p) => (Number.isFinite(p.score) ? p.score : null));
  const axes = {
    title: "Scores in volume order",
    x: "place in the volume",
    y: words(settings.measure),
    format: (v: number) => number(v),
    log: false,
  };
  const line = { label: "score", colour: 0, dash: [], marker: "circle" as const, y: finite };
  const reference = shown.reference === null ? -1 : shown.perm.indexOf(shown.reference);
  const infinite = shown.reference !== null && !Number.isFinite(scoreOf(shown, shown.reference));
  const marks = reference < 0 ? [] : [{ x: reference + 1, text: infinite ? "reference (infinite)" : "reference" }];
  return [axes, { x: places.map((p) => p.place), lines: [line], marks }] as const;
}
