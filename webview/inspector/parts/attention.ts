import { entriesOf } from "../../../src/shared/catalog.ts";
import { cividis } from "../../../src/shared/colour.ts";
import { number, percent } from "../../../src/shared/format.ts";
import type { AttackImageResult } from "../../../src/shared/protocol.ts";
import { fileUrl } from "../../lib/connect.ts";
import { fill, h, onChange, type Part, show } from "../../lib/dom.ts";
import { colourMap, isGrey, legend } from "../../lib/heatmap.ts";
import { createPicture, type Picture } from "../../lib/image.ts";
import { createLoupe } from "../../lib/loupe.ts";
import { fromBytes, loadPixels, type Pixels } from "../../lib/pixels.ts";
import { dropdown, icon, slider } from "../../lib/ui.ts";
import type { Context } from "../model.ts";

interface Pair {
  readonly image: Pixels;
  readonly map: Pixels | null;
}

/** Where the network looks, before and after: a map over each picture, with its opacity, the layer, and the overlap of the two areas. */
export function attention(): Part<Context> & { canvases(): readonly HTMLCanvasElement[] } {
  const loupe = createLoupe();
  const shown = [createPicture(loupe), createPicture(loupe)] as const;
  const scale = legend(cividis, "Colours of the attention");
  scale.label("0", "0.5", "1 (of its largest)");
  const overlap = h("p", { class: "overlap" });
  const note = h("p", { class: "muted" });
  let context: Context | null = null;
  let loaded: readonly (Pair | null)[] = [];
  const opacity = slider("Opacity of the attention map", { min: 0, max: 1, step: 0.05, value: 0.6 }, (value) =>
    context?.set({ opacity: value }),
  );
  const choose = choices(() => context);
  const paint = (): void => {
    if (context) paintPairs(shown, loaded, context.local.opacity);
  };
  const load = onChange((result: AttackImageResult | null, base: string) => {
    loaded = [];
    paint();
    if (!result) return;
    void Promise.all([pair(base, result.before), pair(base, result.after)]).then((pairs) => {
      loaded = pairs;
      paint();
    });
  });
  const words = onChange((found: AttackImageResult["attention"]) => describe(overlap, note, found));
  const figures = shown.map((picture, i) =>
    h("figure", {}, h("figcaption", {}, h("span", {}, i === 0 ? "attention, clean" : "attention, adversarial")), picture.element),
  );
  const side = h(
    "div",
    { class: "attention-side" },
    choose.element,
    h("label", { class: "field" }, h("span", { class: "field-name" }, "overlay opacity"), opacity.element),
    scale.element,
    overlap,
    note,
  );
  const element = h(
    "section",
    { class: "attention", attributes: { "aria-label": "Attention" } },
    h("div", { class: "picture-row" }, ...figures, side),
  );
  return {
    element,
    canvases: () => (element.hidden ? [] : shown.map((p) => p.canvas)),
    update(next) {
      context = next;
      const { state } = next;
      show(element, state.result === null ? state.status === "running" : state.result.attention !== null);
      choose.update(next);
      opacity.set(next.local.opacity, percent(next.local.opacity));
      words(state.result?.attention ?? null);
      load(state.result, state.base);
      paint();
    },
  };
}

/** Dropdowns of the explanation, its layer, and its other named options. A change attacks again. */
function choices(context: () => Context | null): Part<Context> {
  const rerun = (id: string, params: Readonly<Record<string, unknown>>): void => {
    const now = context();
    if (now) now.send({ kind: "rerun", attack: now.state.attack, explanation: { id, params } });
  };
  const method = dropdown("attention", (id) => rerun(id, {}));
  const layer = dropdown("layer", (value) => {
    const now = context();
    if (now) rerun(now.state.explanation.id, { ...now.state.explanation.params, layer: value });
  });
  return {
    element: h("div", { class: "stack" }, method.element, layer.element),
    update({ state }) {
      const methods = entriesOf(state.catalog, "explanation");
      show(method.element, methods.length > 0);
      method.set(
        methods.map((e) => ({ value: e.id, text: e.title })),
        state.explanation.id,
      );
      const found = state.result?.attention;
      show(layer.element, found !== null && found !== undefined && found.layers.length > 0);
      if (found)
        layer.set(
          found.layers.map((name) => ({ value: name, text: name })),
          found.layer,
        );
    },
  };
}

async function pair(base: string, side: AttackImageResult["before"]): Promise<Pair | null> {
  try {
    const image = await loadPixels(fileUrl(base, side.image));
    const map = side.attention ? await loadPixels(fileUrl(base, side.attention)) : null;
    return { image, map: map?.data && isGrey(map.data) ? fromBytes(colourMap(map.data), map.width, map.height) : map };
  } catch {
    return null; // a missing picture shows as the empty frame
  }
}

function paintPairs(shown: readonly Picture[], pairs: readonly (Pair | null)[], opacity: number): void {
  for (const [i, picture] of shown.entries()) {
    const one = pairs[i];
    const layers = one ? [{ pixels: one.image, opacity: 1 }, ...(one.map ? [{ pixels: one.map, opacity }] : [])] : null;
    const where = one?.map ? `, strongest at ${strongest(one.map)}` : "";
    picture.draw(layers, `Attention ${i === 0 ? "before" : "after"} the attack${where}`);
  }
}

/** Lighter means more in cividis, and so in grey. */
function strongest({ data, width }: Pixels): string {
  let best = 0;
  let at = 0;
  for (let i = 0; data && i < data.length; i += 4) {
    const light = (data[i] ?? 0) + (data[i + 1] ?? 0);
    if (light > best) {
      best = light;
      at = i / 4;
    }
  }
  return `row ${Math.floor(at / width)} column ${at % width}`;
}

function describe(overlap: HTMLElement, note: HTMLElement, found: AttackImageResult["attention"]): void {
  show(overlap, found !== null && found.iou !== null);
  show(note, found?.degenerate ?? false);
  if (!found) return;
  const random = found.randomIou === null ? "" : ` (two areas at random ${number(found.randomIou)})`;
  fill(overlap, "Overlap of the two areas (IoU) ", h("strong", {}, number(found.iou)), random);
  fill(note, icon("info"), " The map is flat: this layer says nothing about the prediction.");
}
