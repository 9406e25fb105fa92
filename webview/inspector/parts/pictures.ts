import { diverging } from "../../../src/shared/colour.ts";
import { number } from "../../../src/shared/format.ts";
import type { ClassScore } from "../../../src/shared/protocol.ts";
import { fill, h, onChange, type Part, setText } from "../../lib/dom.ts";
import { differenceMap, legend } from "../../lib/heatmap.ts";
import { createPicture, type Frame, type Picture } from "../../lib/image.ts";
import { createLoupe, type Loupe, wholeImage, zoomed } from "../../lib/loupe.ts";
import { fromBytes, loadPixels, type Pixels, valueAt } from "../../lib/pixels.ts";
import { button, dropdown } from "../../lib/ui.ts";
import { type Context, iterationText, type Local, type Shown, shownOf } from "../model.ts";
import { predictionText } from "../prediction.ts";

const amplifications = [
  { value: "auto", text: "Auto" },
  { value: "1", text: "×1" },
  { value: "4", text: "×4" },
  { value: "16", text: "×16" },
];

/** Clean, adversarial and their amplified difference: one size, one zoom, one pixel read in all three. */
export function pictures(): Part<Context> & { canvases(): readonly HTMLCanvasElement[]; differenceEnd(): number } {
  const loupe = createLoupe();
  const [clean, adversarial, difference] = [createPicture(loupe), createPicture(loupe), createPicture(loupe)];
  const captions = [caption(), caption()] as const;
  const differenceCaption = h("figcaption");
  const scale = legend((t) => diverging(2 * t - 1), "Colours of the difference");
  let context: Context | null = null;
  const amplify = dropdown("Amplified", (value) =>
    context?.set({ amplify: value === "auto" ? "auto" : (Number(value) as Local["amplify"]) }),
  );
  const readout = h("p", { class: "readout muted", attributes: { "aria-live": "off" } });
  let loaded: { clean: Pixels | null; adversarial: Pixels | null } = { clean: null, adversarial: null };
  loupe.onChange(() => setText(readout, reading(loupe, loaded.clean, loaded.adversarial)));
  let end = 1;
  const draw = (): void => {
    if (context) end = paint(context, loaded, { clean, adversarial, difference }, differenceCaption, scale);
  };
  let asked = 0;
  let drawn = 0;
  const load = onChange((cleanUrl: string, adversarialUrl: string | null) => {
    const turn = ++asked;
    void Promise.all([picture(cleanUrl), adversarialUrl ? picture(adversarialUrl) : null]).then(([a, b]) => {
      if (turn < drawn) return; // pictures of a later iteration arrived first
      drawn = turn;
      loaded = { clean: a, adversarial: b };
      draw();
      setText(readout, reading(loupe, a, b));
    });
  });
  const element = h(
    "section",
    { class: "pictures", attributes: { "aria-label": "Pictures" } },
    h(
      "div",
      { class: "picture-row" },
      ...[clean, adversarial, difference].map((p, i) =>
        h("figure", {}, captions[i]?.element ?? differenceCaption, p.element, i === 2 ? scale.element : null),
      ),
    ),
    h("div", { class: "toolbar" }, amplify.element, zoomButtons(loupe), readout),
  );
  return {
    element,
    differenceEnd: () => end,
    canvases: () => [clean.canvas, adversarial.canvas, difference.canvas],
    update(next) {
      context = next;
      const shown = shownOf(next.state, next.local.scrub);
      label(captions, next, shown);
      amplify.set(amplifications, String(next.local.amplify));
      load(shown.clean, shown.adversarial);
      draw();
    },
  };
}

const picture = (url: string): Promise<Pixels | null> => loadPixels(url).catch(() => null);

function zoomButtons(loupe: Loupe): HTMLElement {
  const zoom = (factor: number): void => loupe.set({ view: zoomed(loupe.view, factor) });
  return h(
    "div",
    { class: "buttons", attributes: { role: "group", "aria-label": "Zoom" } },
    button("", () => zoom(1 / 1.5), { icon: "zoom-out", appearance: "icon", label: "Zoom out (−)" }),
    button("", () => zoom(1.5), { icon: "zoom-in", appearance: "icon", label: "Zoom in (+), or Ctrl and the wheel" }),
    button("", () => loupe.set({ view: wholeImage }), { icon: "screen-full", appearance: "icon", label: "Whole image (0)" }),
  );
}

interface Caption {
  readonly name: string;
  readonly score: ClassScore | null;
}
function caption(): Part<Caption> {
  const name = h("span");
  const prediction = predictionText();
  return {
    element: h("figcaption", {}, name, prediction.element),
    update(next) {
      setText(name, next.name);
      prediction.update(next.score);
    },
  };
}

function label([clean, attacked]: readonly [Part<Caption>, Part<Caption>], { state }: Context, shown: Shown): void {
  clean.update({ name: "Clean", score: state.result?.before.prediction ?? state.clean?.prediction ?? null });
  const name = shown.iteration === null ? "Adversarial" : iterationText(shown.iteration);
  attacked.update({ name, score: shown.scores[0] ?? null });
}

/** Returns the end of the difference's scale. */
function paint(
  { state, local }: Context,
  loaded: { clean: Pixels | null; adversarial: Pixels | null },
  shown: { clean: Picture; adversarial: Picture; difference: Picture },
  caption: HTMLElement,
  scale: ReturnType<typeof legend>,
): number {
  const { clean, adversarial } = loaded;
  const frames = sliceFrame(state, local);
  shown.clean.draw(clean && [{ pixels: clean, opacity: 1 }], `Clean image, ${state.title}`, frames);
  shown.adversarial.draw(adversarial && [{ pixels: adversarial, opacity: 1 }], "Adversarial image", frames);
  const same = clean?.data && adversarial?.data && clean.width === adversarial.width && clean.height === adversarial.height;
  if (!same || !clean.data || !adversarial.data) {
    shown.difference.draw(null, "No difference yet");
    fill(caption, h("span", {}, "Difference"));
    return 1;
  }
  const map = differenceMap(clean.data, adversarial.data, clean.width, local.amplify === "auto" ? "auto" : 1 / local.amplify);
  const end = local.amplify === "auto" ? map.max || 1 : 1 / local.amplify;
  const times = 1 / end;
  const text = `Difference amplified ${number(times, 2)} times, largest change ${number(map.max)} at row ${map.row} column ${map.column}`;
  shown.difference.draw([{ pixels: fromBytes(map.pixels, clean.width, clean.height), opacity: 1 }], text, frames);
  fill(caption, h("span", {}, "Difference"), h("strong", {}, `×${number(times, 2)}`));
  scale.label(number(-end), "0", `+${number(end)}`);
  return end;
}

function sliceFrame(state: Context["state"], local: Local): Frame[] {
  const ranking = state.cards.ranking?.result?.clean;
  if (local.slice === null || !ranking) return [];
  const { patch, columns } = ranking;
  return [{ row: Math.floor(local.slice / columns) * patch, column: (local.slice % columns) * patch, height: patch, width: patch }];
}

/** "row 12 column 8: clean 0.412 · adversarial 0.443 · difference +0.031" */
function reading({ pixel }: Loupe, clean: Pixels | null, adversarial: Pixels | null): string {
  if (!pixel) return "Point at a picture, or focus it and use the arrow keys, to read its pixels.";
  const values = (pixels: Pixels | null): readonly number[] | null => pixels && valueAt(pixels, pixel.row, pixel.column);
  const [a, b] = [values(clean), values(adversarial)];
  const list = (v: readonly number[] | null): string => (v ? v.map((n) => number(n)).join(" ") : "–");
  const signed = (v: number): string => `${v > 0 ? "+" : ""}${number(v)}`;
  const change = a && b && a.length === b.length ? b.map((v, i) => signed(v - (a[i] ?? 0))).join(" ") : "–";
  return `row ${pixel.row} column ${pixel.column}: clean ${list(a)} · adversarial ${list(b)} · difference ${change}`;
}
