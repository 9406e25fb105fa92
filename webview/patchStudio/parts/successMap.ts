import { cividis } from "../../../src/shared/colour.ts";
import { progressPercent } from "../../../src/shared/format.ts";
import type { PatchPlacement } from "../../../src/shared/patch.ts";
import type { StudioState } from "../../../src/shared/patchStudio.ts";
import { errorCard } from "../../lib/cards.ts";
import { h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { legend } from "../../lib/heatmap.ts";
import { button, dropdown, section } from "../../lib/ui.ts";
import { type Context, type MapFigure, mapFigures, mapText, usualStride } from "../model.ts";
import { firstFault, numberField } from "./fields.ts";
import { heatMap } from "./heatMap.ts";

/** How often the patch succeeds at every place of a grid. */
export function successMap(put: (placement: PatchPlacement) => void): Part<Context> {
  let context: Context | null = null;
  const fields = mapFields();
  const go = button("Compute map", () => ask(), { icon: "play", appearance: "primary" });
  const cancel = button("Cancel", () => context?.send({ kind: "cancel", what: "map" }), { icon: "debug-stop" });
  const fault = h("p", { class: "muted", attributes: { "aria-live": "polite" } });
  const result = mapResult((at) => put({ ...at, rotation: fields.wish.rotation, scale: fields.wish.scale }));
  const error = errorCard((intent) => context?.send(intent));
  const progress = h("p", { class: "status-line", attributes: { "aria-live": "off" } });
  const ask = (): void => {
    const problem = fields.fault();
    setText(fault, problem ?? "");
    if (!problem) context?.send({ kind: "map", ...fields.wish });
  };
  const tools = h("div", { class: "toolbar studio-toolbar" }, ...fields.elements, go, cancel);
  return {
    element: section("Success by position", true, tools, fault, progress, error.element, result.element),
    update(next) {
      context = next;
      const { map: task } = next.state;
      const running = task?.status === "running";
      fields.update(next.state);
      show(go, !running);
      show(cancel, running);
      show(progress, running);
      if (running) setText(progress, `Computing: ${progressPercent(task.done / Math.max(1, task.total))}`);
      error.update(task?.error ?? null);
      result.update(next.state);
    },
  };
}

function mapFields() {
  const wish = { stride: 2, rotation: 0, scale: 1, images: 32 };
  const take = (name: keyof typeof wish) => (value: number) => {
    wish[name] = value;
  };
  const fields = {
    stride: numberField("Stride (px)", { low: 1, high: 1000, whole: true }, take("stride")),
    images: numberField("Images per place", { low: 1, high: 100_000, whole: true }, take("images")),
    rotation: numberField("Rotation (°)", { low: -180, high: 180 }, take("rotation")),
    scale: numberField("Scale", { low: 0.05, high: 4 }, take("scale")),
  };
  const adopt = onChange((_patch: string, height: number, width: number, rows: number, columns: number) => {
    wish.stride = usualStride([height, width, 1], [rows, columns]);
  });
  return {
    wish,
    elements: Object.values(fields).map((field) => field.element),
    fault: () => firstFault(Object.values(fields)),
    update({ place, patch }: StudioState) {
      const size = place?.result;
      if (size) adopt(patch?.file ?? "", size.imageSize[0], size.imageSize[1], ...size.patchSize);
      for (const name of ["stride", "images", "rotation", "scale"] as const) fields[name].set(wish[name]);
    },
  };
}

/** The map in colours and numbers, its legend, and what stands out in words. */
function mapResult(put: (at: Pick<PatchPlacement, "row" | "column">) => void): Part<StudioState> {
  let figure: MapFigure = "success";
  let state: StudioState | null = null;
  const which = dropdown("Show", (value) => {
    figure = value as MapFigure;
    if (state) update(state);
  });
  const summary = h("p", { attributes: { "aria-live": "polite" } });
  const colours = legend(cividis, "Colours of the map");
  colours.label("0 %", "50 %", "100 %");
  const map = heatMap(put);
  const tools = h("div", { class: "toolbar studio-toolbar" }, which.element);
  const element = h("div", { class: "stack" }, tools, summary, h("div", { class: "map-legend" }, colours.element), map.element);
  const update = (next: StudioState): void => {
    state = next;
    const result = next.map?.result;
    show(element, Boolean(result));
    if (!result) return;
    const known: readonly MapFigure[] = result.target ? ["success", "target", "probability"] : ["success", "probability"];
    if (!known.includes(figure)) figure = "success";
    which.set(
      known.map((value) => ({ value, text: mapFigures[value] })),
      figure,
    );
    setText(summary, mapText(result, figure));
    map.update(result, figure);
  };
  return { element, update };
}
