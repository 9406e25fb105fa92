import type { AttentionParams, AttentionResult, AttentionSide, ShownSuperpixels } from "../../../src/shared/cards.ts";
import { cividis } from "../../../src/shared/colour.ts";
import { number, percent } from "../../../src/shared/format.ts";
import type { InspectorIntent } from "../../../src/shared/panels.ts";
import { fileUrl } from "../../lib/connect.ts";
import { fill, h, onChange, type Part, show } from "../../lib/dom.ts";
import { colourMap, isGrey, legend, strongest } from "../../lib/heatmap.ts";
import { createPicture, type Outline, type Picture } from "../../lib/image.ts";
import { createLoupe } from "../../lib/loupe.ts";
import { fromBytes, loadPixels, type Pixels } from "../../lib/pixels.ts";
import { icon, slider } from "../../lib/ui.ts";
import { cardStatus } from "../card.ts";
import { follower, iterationOf } from "../follow.ts";
import { type Context, scoreText } from "../model.ts";
import { edgesOf, type Numbered, numbersOf, type Segments } from "../superpixels.ts";
import { explanationChoice } from "./explanationChoice.ts";
import { superpixelView } from "./superpixelView.ts";

interface Pair {
  readonly image: Pixels;
  readonly map: Pixels;
  /** Lines around the attention area; none where the run is of an older version, or the area is empty. */
  readonly area: Outline["lines"];
  /** Null where the method has no superpixels. */
  readonly segments: Segments | null;
}
/** Where the network looks, before and after the attack: a map over each picture, with its opacity, and the overlap of the two areas. */
export function attention(send: (intent: InspectorIntent) => void): Part<Context> & { canvases(): readonly HTMLCanvasElement[] } {
  const scale = legend(cividis, "Colours of the attention");
  scale.label("0", "0.5", "1 (maximum)");
  const text = h("div", { class: "stack attention-text" });
  let context: Context | null = null;
  const ask = (params: AttentionParams): void => send({ kind: "card", id: "attention", params });
  const choose = explanationChoice((explanation) => context && ask({ explanation, iteration: iterationOf(context) }));
  const status = cardStatus("attention", "Computing the attention", send);
  const superpixels = superpixelView(() => maps.paint());
  const maps = mapPictures(superpixels);
  const opacity = slider("Opacity of the attention map", { min: 0, max: 1, step: 0.05, value: 0.6 }, (value) =>
    context?.set({ opacity: value }),
  );
  const words = onChange((result: AttentionResult | null) => fill(text, ...(result ? describe(result) : [])));
  const follow = follower("attention", (iteration) => {
    const card = context?.state.cards.attention;
    if (card) ask({ explanation: card.params.explanation, iteration });
  });
  const opacityField = h("label", { class: "field" }, h("span", { class: "field-name" }, "Overlay opacity"), opacity.element);
  const side = h(
    "div",
    { class: "attention-side" },
    choose.element,
    opacityField,
    scale.element,
    text,
    superpixels.element,
    status.element,
  );
  const row = h("div", { class: "picture-row" }, ...maps.figures, side);
  const element = h("section", { class: "attention", attributes: { "aria-label": "Attention" } }, row);
  return {
    element,
    canvases: () => (element.hidden ? [] : maps.canvases()),
    update(next) {
      context = next;
      const { state, local } = next;
      const card = state.cards.attention;
      const result = card?.result ?? null;
      show(element, card !== undefined || state.status === "running");
      show(maps.figures[1], state.status !== "idle" || Boolean(result?.adversarial));
      choose.update(state);
      opacity.set(local.opacity, percent(local.opacity));
      status.update(card);
      words(result);
      superpixels.update(result);
      maps.update(result, state.base, { opacity: local.opacity, iteration: card?.params.iteration ?? null });
      maps.figures[1].classList.toggle("stale", follow(next));
    },
  };
}

/** The two pictures with their maps, loaded when the result is another one. */
function mapPictures(superpixels: ReturnType<typeof superpixelView>) {
  const loupe = createLoupe();
  const picture = (side: 0 | 1): Picture =>
    createPicture(loupe, (pixel) => {
      const segments = loaded[side]?.segments;
      if (segments) superpixels.pick(side, segments, pixel);
    });
  const pictures = [picture(0), picture(1)] as const;
  const figure = (caption: string, { element }: Picture): HTMLElement =>
    h("figure", {}, h("figcaption", {}, h("span", {}, caption)), element);
  const figures = [figure("Attention, clean", pictures[0]), figure("Attention, adversarial", pictures[1])] as const;
  let loaded: readonly (Pair | null)[] = [];
  let look: Look = { opacity: 1, iteration: null };
  const paint = (): void => paintPairs(pictures, loaded, look, superpixels);
  const load = onChange((result: AttentionResult | null, base: string) => {
    if (!result) {
      loaded = [];
      return;
    }
    void Promise.all([pair(base, result.clean), result.adversarial ? pair(base, result.adversarial) : null]).then((pairs) => {
      loaded = pairs;
      paint();
    });
  });
  return {
    figures,
    canvases: () => pictures.filter((_, i) => !figures[i]?.hidden).map((picture) => picture.canvas),
    update(result: AttentionResult | null, base: string, now: Look): void {
      look = now;
      load(result, base);
      paint();
    },
    paint,
  };
}

async function pair(base: string, side: AttentionSide): Promise<Pair | null> {
  try {
    const [image, map] = await Promise.all([loadPixels(fileUrl(base, side.image)), loadPixels(fileUrl(base, side.map))]);
    const segments = side.superpixels ? await segmentsOf(base, side.superpixels) : null;
    const area = side.area ? await numbersIn(base, side.area) : null;
    return {
      area: area ? edgesOf(area, new Set([1])) : [],
      image,
      map: map.data && isGrey(map.data) ? fromBytes(colourMap(map.data), map.width, map.height) : map,
      segments,
    };
  } catch {
    return null; // a missing picture shows as the empty frame
  }
}

async function segmentsOf(base: string, { file, weights }: ShownSuperpixels): Promise<Segments | null> {
  const numbered = await numbersIn(base, file);
  return numbered && { ...numbered, weights };
}

async function numbersIn(base: string, file: string): Promise<Numbered | null> {
  const { data, height, width } = await loadPixels(fileUrl(base, file));
  return data && { numbers: numbersOf(data), height, width };
}

interface Look {
  readonly opacity: number;
  /** Iteration of the attack that the second picture is of; null for its result. */
  readonly iteration: number | null;
}
function paintPairs(
  shown: readonly [Picture, Picture],
  pairs: readonly (Pair | null)[],
  { opacity, iteration }: Look,
  superpixels: ReturnType<typeof superpixelView>,
): void {
  for (const i of [0, 1] as const) {
    const one = pairs[i];
    const layers = one
      ? [
          { pixels: one.image, opacity: 1 },
          { pixels: one.map, opacity },
        ]
      : null;
    const where = one ? `, strongest at ${strongest(one.map)}` : "";
    const outlines = one?.segments ? superpixels.outlines(i, one.segments) : areaOutlines(one, pairs[1 - i]);
    shown[i].draw(layers, `Attention ${i === 0 ? "before the attack" : whenOf(iteration)}${where}`, [], outlines);
  }
}

/** The picture's own area, and dashed that of the other picture: what both enclose is what the overlap counts. */
const areaOutlines = (own: Pair | null | undefined, other: Pair | null | undefined): Outline[] => [
  { lines: own?.area ?? [], thickness: 2 },
  { lines: other?.area ?? [], thickness: 2, isDashed: true },
];

function whenOf(iteration: number | null): string {
  if (iteration === null) return "after the attack";
  return iteration === 0 ? "at its start" : `at iteration ${iteration}`;
}

function describe({ clean, adversarial, iou, randomIou, layer }: AttentionResult): HTMLElement[] {
  const area = (side: AttentionSide): string => `${scoreText(side.prediction)}: the area covers ${percent(side.share)} of the image.`;
  const lines = adversarial
    ? [
        h("p", { class: "overlap" }, "Overlap of the two areas (IoU) ", h("strong", {}, number(iou)), chance(randomIou)),
        h("p", { class: "muted small" }, `Clean ${percent(clean.share)} of the image, adversarial ${percent(adversarial.share)}.`),
        ...(clean.area && !clean.superpixels
          ? [h("p", { class: "muted small" }, "Outlined: the area; dashed: that of the other picture.")]
          : []),
      ]
    : [h("p", {}, area(clean))];
  if (clean.degenerate || adversarial?.degenerate)
    lines.push(
      h(
        "p",
        { class: "muted" },
        icon("info"),
        ` The map is flat: ${layer === null ? "no part of the picture" : "this layer"} says nothing about the prediction.`,
      ),
    );
  return lines;
}
const chance = (randomIou: number | null): string => (randomIou === null ? "" : ` (chance: ${number(randomIou)})`);
