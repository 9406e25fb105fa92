import type { WatchedMap } from "../../../src/shared/events.ts";
import { percent } from "../../../src/shared/format.ts";
import { fileUrl } from "../../lib/connect.ts";
import { fill, h, onChange, type Part, roving, show } from "../../lib/dom.ts";
import type { ArmSeries, Summary } from "../series.ts";

type Attention = ArmSeries["attention"][number];
type Watched = Attention["images"][number];

/** Attention of the chosen images, epoch by epoch: a strip for each arm and image, and below it that of the adversarial image where there is one. */
export function attentionStrips(): Part<{ summary: Summary; base: string }> {
  const body = h("div", { class: "strips" });
  const words = h("p", { class: "muted" }, "What speaks for the true class, and below it the class that was predicted then.");
  const element = h("section", { attributes: { "aria-label": "Attention by epoch" } }, h("h2", {}, "Attention by epoch"), words, body);
  let summary: Summary | null = null;
  const draw = onChange((_key: string, base: string) => {
    const strips = (summary?.arms ?? []).flatMap((arm) => {
      const indices = [...new Set(arm.attention.flatMap((a) => a.images.map((image) => image.index)))];
      return indices.map((index) => strip(arm.name, index, arm.attention, base));
    });
    show(element, strips.length > 0);
    show(words, summary?.arms.some(({ attention }) => attention.some(({ images }) => images.some((image) => image.prediction))) ?? false);
    fill(body, ...strips);
  });
  return {
    element,
    update(next) {
      summary = next.summary;
      draw(next.summary.arms.map((arm) => `${arm.name}:${arm.attention.length}`).join(), next.base);
    },
  };
}

function strip(arm: string, index: number, attention: readonly Attention[], base: string): HTMLElement {
  const epochs = attention.flatMap(({ epoch, images }) => {
    const image = images.find((one) => one.index === index);
    return image ? [{ epoch, image }] : [];
  });
  const clean = epochs.find(({ image }) => image.clean !== undefined)?.image.clean;
  const isAttacked = epochs.some(({ image }) => image.attacked);
  const maps = (under: string, of: (image: Watched) => WatchedMap | undefined): HTMLElement[] =>
    epochs.map(({ epoch, image }) => mapCell(of(image), { epoch, base, what: `image ${index}${under} after epoch ${epoch}, ${arm}` }));
  const row = h(
    "div",
    { class: "strip", attributes: { role: "group", "aria-label": `${arm}, image ${index}` } },
    firstCell(clean === undefined ? null : fileUrl(base, clean), "Clean", `Image ${index}`),
    ...maps("", (image) => image),
    ...(isAttacked ? [firstCell(null, "Under attack", ""), ...maps(" under attack", (image) => image.attacked)] : []),
  );
  row.style.setProperty("--epochs", String(epochs.length));
  roving(row, ".map", () => epochs.length)(0);
  return h("div", {}, h("h3", {}, `${arm} · image ${index}`), row);
}

/** What a row shows: the image itself where it is there, and words. */
const firstCell = (source: string | null, text: string, alt: string): HTMLElement =>
  h(
    "figure",
    { class: "epoch-cell first" },
    ...(source === null ? [] : [h("img", { attributes: { src: source, alt } })]),
    h("figcaption", {}, text),
  );

interface Placed {
  readonly epoch: number;
  readonly base: string;
  readonly what: string;
}
/** Epochs of a run of an older version have no map of the adversarial image: their place stays empty. */
function mapCell(map: WatchedMap | undefined, { epoch, base, what }: Placed): HTMLElement {
  if (!map) return h("figure", { class: "epoch-cell" });
  const { prediction } = map;
  const predicted = prediction ? `${prediction.name}, ${percent(prediction.probability)}` : null;
  const alt = `Attention on ${what}${predicted === null ? "" : `: predicted ${predicted}`}`;
  return h(
    "figure",
    { class: "epoch-cell" },
    h("img", { class: "map", attributes: { src: fileUrl(base, map.file), alt, tabindex: -1 } }),
    h("figcaption", {}, `Epoch ${epoch}`, ...(predicted === null ? [] : [h("br", {}), h("span", { class: "muted" }, predicted)])),
  );
}
