import { diverging } from "../../../src/shared/colour.ts";
import { number } from "../../../src/shared/format.ts";
import { fill, h, onChange, type Part, setText } from "../../lib/dom.ts";
import { differenceMap, legend } from "../../lib/heatmap.ts";
import { createPicture, type Frame, type Picture } from "../../lib/image.ts";
import { createLoupe, type Loupe, wholeImage, zoomed } from "../../lib/loupe.ts";
import { fromBytes, loadPixels, type Pixels, valueAt } from "../../lib/pixels.ts";
import { button, dropdown } from "../../lib/ui.ts";
import { type Context, type Local, type Shown, scoreText, shownOf } from "../model.ts";

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
  const captions = [h("figcaption"), h("figcaption"), h("figcaption")] as const;
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
    if (context) end = paint(context, loaded, { clean, adversarial, difference }, captions[2], scale);
  };
  const load = onChange((cleanUrl: string, adversarialUrl: string | null) => {
    void Promise.all([picture(cleanUrl), adversarialUrl ? picture(adversarialUrl) : null]).then(([a, b]) => {
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
      ...[clean, adversarial, difference].map((p, i) => h("figure", {}, captions[i], p.element, i === 2 ? scale.element : null)),
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

function label(captions: readonly HTMLElement[], { state }: Context, shown: Shown): void {
  const before = state.result?.before.prediction ?? state.clean?.prediction;
  const [after] = shown.scores;
  const caption = (element: HTMLElement | undefined, name: string, rest: string): void => {
    if (element) fill(element, h("span", {}, name), h("strong", { title: rest }, rest));
  };
  caption(captions[0], "Clean", before ? scoreText(before) : "");
  caption(captions[1], shown.iteration === null ? "Adversarial" : `Iteration ${shown.iteration}`, after ? scoreText(after) : "");
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
