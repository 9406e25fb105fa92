import { count, number } from "../../../src/shared/format.ts";
import type { ExportPatchResult } from "../../../src/shared/patch.ts";
import { studioFiles } from "../../../src/shared/patchStudio.ts";
import { errorCard } from "../../lib/cards.ts";
import { fill, h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { button, dropdown, section } from "../../lib/ui.ts";
import type { Context } from "../model.ts";
import { firstFault, numberField } from "./fields.ts";

type Upscaling = "nearest" | "smooth";
type Background = "transparent" | "white";
const upscalings = [
  { value: "nearest", text: "Sharp pixels" },
  { value: "smooth", text: "Smooth" },
];
const backgrounds = [
  { value: "white", text: "White" },
  { value: "transparent", text: "Transparent" },
];

/** The patch as a PNG for paper, and where its files lie. */
export function print(): Part<Context> {
  let context: Context | null = null;
  const paper = paperSettings();
  const fault = h("p", { class: "muted", attributes: { "aria-live": "polite" } });
  const press = (): void => {
    const problem = paper.fault();
    setText(fault, problem ?? "");
    if (!problem) context?.send({ kind: "export", ...paper.wish });
  };
  const go = button("Export for print…", press, { icon: "save-as", appearance: "primary" });
  const done = h("p", { attributes: { "aria-live": "polite" } });
  const error = errorCard((intent) => context?.send(intent));
  const files = h("ul", { class: "files plain stack" });
  const list = onChange((key: string) => {
    fill(
      files,
      ...key.split("\n").map((file, item) => {
        const options = { icon: "folder-opened", label: `Show ${file} in the explorer` };
        const reveal = button("Show", () => context?.send({ kind: "reveal", item }), options);
        return h("li", {}, h("code", {}, file), reveal);
      }),
    );
  });
  const tools = h("div", { class: "toolbar studio-toolbar" }, ...paper.elements, go);
  return {
    element: section("Print and files", true, tools, fault, error.element, done, h("p", { class: "chart-title" }, "Files"), files),
    update(next) {
      context = next;
      const { patch, exported } = next.state;
      paper.update();
      error.update(exported?.error ?? null);
      const result = exported?.result;
      show(done, Boolean(result));
      if (result) setText(done, exportText(result));
      if (patch) list(studioFiles(next.state).join("\n"));
    },
  };
}

function exportText({ file, pixels, centimetres, dpi }: ExportPatchResult): string {
  const size = `${number(centimetres[1])} × ${number(centimetres[0])} cm, ${count(pixels[1])} × ${count(pixels[0])} pixels at ${dpi} dpi`;
  return `Saved ${file}: ${size}. Print at 100 %, without fitting to the page.`;
}

function paperSettings() {
  const wish: { centimetres: number; dpi: number; upscaling: Upscaling; background: Background } = {
    centimetres: 5,
    dpi: 300,
    upscaling: "nearest",
    background: "white",
  };
  const length = numberField("Longer side (cm)", { low: 0.1, high: 200 }, (value) => {
    wish.centimetres = value;
  });
  const dpi = numberField("Resolution (dpi)", { low: 1, high: 2400, whole: true }, (value) => {
    wish.dpi = value;
  });
  const upscaling = dropdown("Scaling", (value) => {
    wish.upscaling = value === "smooth" ? "smooth" : "nearest";
  });
  const background = dropdown("Background of a disc", (value) => {
    wish.background = value === "transparent" ? "transparent" : "white";
  });
  return {
    wish,
    elements: [length.element, dpi.element, upscaling.element, background.element],
    fault: () => firstFault([length, dpi]),
    update(): void {
      length.set(wish.centimetres);
      dpi.set(wish.dpi);
      upscaling.set(upscalings, wish.upscaling);
      background.set(backgrounds, wish.background);
    },
  };
}
