import { fileUrl } from "../../lib/connect.ts";
import { fill, h, onChange, type Part, roving, show } from "../../lib/dom.ts";
import type { Summary } from "../series.ts";

/** Attention of the chosen images, epoch by epoch: one strip an arm and image. */
export function attentionStrips(): Part<{ summary: Summary; base: string }> {
  const body = h("div", { class: "strips" });
  const element = h("section", { attributes: { "aria-label": "Attention by epoch" } }, h("h2", {}, "Attention by epoch"), body);
  let summary: Summary | null = null;
  const draw = onChange((_key: string, base: string) => {
    const strips = (summary?.arms ?? []).flatMap((arm) => {
      const indices = [...new Set(arm.attention.flatMap((a) => a.images.map((image) => image.index)))];
      return indices.map((index) => strip(arm.name, index, arm.attention, base));
    });
    show(element, strips.length > 0);
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

function strip(arm: string, index: number, attention: Summary["arms"][number]["attention"], base: string): HTMLElement {
  const cells = attention.flatMap((event) => {
    const image = event.images.find((one) => one.index === index);
    if (!image) return [];
    const alt = `Attention on image ${index} after epoch ${event.epoch}, ${arm}`;
    const picture = h("img", { attributes: { src: fileUrl(base, image.file), alt, tabindex: -1 } });
    return [h("figure", { class: "epoch-cell" }, picture, h("figcaption", {}, `Epoch ${event.epoch}`))];
  });
  const row = h("div", { class: "strip", attributes: { role: "group", "aria-label": `${arm}, image ${index}` } }, ...cells);
  roving(row, "img", () => 1)(0);
  return h("div", {}, h("h3", {}, `${arm} · image ${index}`), row);
}
