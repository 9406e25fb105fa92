import { cividis } from "../../../src/shared/colour.ts";
import type { PatchPlacement } from "../../../src/shared/patch.ts";
import { errorCard } from "../../lib/cards.ts";
import { h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { percent } from "../../lib/format.ts";
import { legend } from "../../lib/heatmap.ts";
import { button, dropdown, section } from "../../lib/ui.ts";
import { type Context, type MapFigure, mapFigures, mapText, usualStride } from "../model.ts";
import { heatMap } from "./heatMap.ts";
import { numberField } from "./setup.ts";

/** How often the patch succeeds at every place of a grid. */
export function successMap(put: (placement: PatchPlacement) => void): Part<Context> {
  let context: Context | null = null;
  let figure: MapFigure = "success";
  const wish = { stride: 2, rotation: 0, scale: 1, images: 32 };
  const stride = numberField("pixels from place to place", 1, 1000, (value) => {
    wish.stride = value;
  });
  const images = numberField("images at each place", 1, 100_000, (value) => {
    wish.images = value;
  });
  const rotation = numberField(
    "turned by (degrees)",
    -180,
    180,
    (value) => {
      wish.rotation = value;
    },
    false,
  );
  const scale = numberField(
    "scaled by",
    0.05,
    4,
    (value) => {
      wish.scale = value;
    },
    false,
  );
  const fields = [stride, images, rotation, scale];
  const go = button("Compute the map", () => ask(), { icon: "play", appearance: "primary" });
  const cancel = button("Cancel", () => context?.send({ kind: "cancel", what: "map" }), { icon: "debug-stop" });
  const fault = h("p", { class: "muted", attributes: { "aria-live": "polite" } });
  const which = dropdown("show", (value) => {
    figure = value as MapFigure;
    if (context) update(context);
  });
  const summary = h("p", { attributes: { "aria-live": "polite" } });
  const scaleOf = legend(cividis, "Colours of the map");
  scaleOf.label("0 %", "50 %", "100 %");
  const map = heatMap((at) => put({ ...at, rotation: wish.rotation, scale: wish.scale }));
  const body = h(
    "div",
    { class: "stack" },
    h("div", { class: "toolbar studio-toolbar" }, which.element),
    summary,
    h("div", { class: "map-legend" }, scaleOf.element),
    map.element,
  );
  const error = errorCard({ fix: (id) => context?.send({ kind: "fix", id }), showLog: () => context?.send({ kind: "showLog" }) });
  const progress = h("p", { class: "status-line", attributes: { "aria-live": "off" } });
  const ask = (): void => {
    const problem = fields.map((field) => field.fault()).find((text) => text !== null) ?? null;
    setText(fault, problem ?? "");
    if (!problem) context?.send({ kind: "map", ...wish });
  };
  const adopt = onChange((_patch: string, height: number, width: number, rows: number, columns: number) => {
    wish.stride = usualStride([height, width, 1], [rows, columns]);
  });
  const update = (next: Context): void => {
    context = next;
    const { state } = next;
    const { map: task, patch } = state;
    const size = state.place?.result;
    if (size) adopt(patch?.file ?? "", size.imageSize[0], size.imageSize[1], ...size.patchSize);
    stride.set(wish.stride);
    images.set(wish.images);
    rotation.set(wish.rotation);
    scale.set(wish.scale);
    const running = task?.status === "running";
    show(go, !running);
    show(cancel, running);
    show(progress, running);
    if (running) setText(progress, `Computing: ${percent(task.done / Math.max(1, task.total))}`);
    error.update(task?.error ?? null);
    show(body, Boolean(task?.result));
    if (!task?.result) return;
    const known: readonly MapFigure[] = task.result.target ? ["success", "target", "probability"] : ["success", "probability"];
    if (!known.includes(figure)) figure = "success";
    which.set(
      known.map((value) => ({ value, text: mapFigures[value] })),
      figure,
    );
    setText(summary, mapText(task.result, figure));
    map.update(task.result, figure);
  };
  const tools = h("div", { class: "toolbar studio-toolbar" }, ...fields.map((f) => f.element), go, cancel);
  return { element: section("Success over places", true, tools, fault, progress, error.element, body), update };
}
