import { capital, plural } from "../../../src/shared/format.ts";
import type { RankPatchesResult } from "../../../src/shared/protocol.ts";
import { fileUrl } from "../../lib/connect.ts";
import { h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { createPicture, type Frame } from "../../lib/image.ts";
import { createLoupe } from "../../lib/loupe.ts";
import { loadPixels, type Pixels } from "../../lib/pixels.ts";
import { token } from "../../lib/theme.ts";
import { button } from "../../lib/ui.ts";
import type { Context } from "../model.ts";
import { movedSlices, sliceAt } from "./slices.ts";

/** The image with its slices, the pointed one outlined; the switch between clean and attacked, and what moved. */
export function rankedView(context: () => Context | null): Part<{ context: Context; result: RankPatchesResult }> {
  const loupe = createLoupe();
  const picture = createPicture(loupe);
  const moved = h("p", { attributes: { "aria-live": "polite" } });
  const ties = h("p", { class: "muted" }, "More than half of the scores are tied, so this measure's order says little.");
  const sides = (["clean", "attacked"] as const).map((side) => ({
    side,
    control: button(capital(side), () => context()?.set({ rankedImage: side })),
  }));
  const group = h(
    "div",
    { class: "buttons", attributes: { role: "group", "aria-label": "Image whose slices are shown" } },
    ...sides.map((s) => s.control),
  );
  let pixels: Pixels | null = null;
  let grid: Pixels | null = null;
  let shown: RankPatchesResult | null = null;
  loupe.onChange(() => {
    const at = loupe.pixel && shown ? sliceAt(shown.clean, loupe.pixel.row, loupe.pixel.column) : null;
    if (at !== null && at !== context()?.local.slice) context()?.set({ slice: at });
  });
  const load = onChange((url: string) => {
    void loadPixels(url).then((loaded) => {
      pixels = loaded;
      context()?.set({});
    });
  });
  const lines = onChange((patch: number, image: Pixels, _colour: string) => {
    grid = gridOver(image, patch);
  });
  return {
    element: h("div", { class: "ranked-view" }, h("figure", {}, picture.element), group, moved, ties),
    update({ context: { state, local }, result }) {
      shown = result;
      const attacked = local.rankedImage === "attacked" && result.attacked !== null;
      load(fileUrl(state.base, attacked && state.result ? state.result.after.image : result.image));
      const { rows, columns, patch } = result.clean;
      if (pixels) lines(patch, pixels, token("focusBorder"));
      const at = local.slice;
      const frame: Frame[] =
        at === null ? [] : [{ row: Math.floor(at / columns) * patch, column: (at % columns) * patch, height: patch, width: patch }];
      const layers = pixels && [{ pixels, opacity: 1 }, ...(grid ? [{ pixels: grid, opacity: 0.7 }] : [])];
      const outlined = at === null ? "" : `, slice ${at} outlined`;
      picture.draw(layers, `Image in ${rows} rows and ${columns} columns of slices${outlined}`, frame);
      show(group, result.attacked !== null);
      for (const { side, control } of sides) control.setAttribute("aria-pressed", String((side === "attacked") === attacked));
      setText(moved, movedText(result));
      show(ties, (attacked ? result.attacked : result.clean)?.manyTies === true);
    },
  };
}

export function movedText({ clean, attacked }: RankPatchesResult): string {
  const all = plural(clean.Z, "slice");
  return attacked ? `The attack moved ${movedSlices(clean, attacked).size} of ${all} to another place.` : all;
}

/** The lines between the slices, fine enough to stay thin over an enlarged picture. */
function gridOver({ width, height }: Pixels, patch: number): Pixels {
  const scale = Math.max(1, Math.ceil(512 / Math.max(width, height)));
  const canvas = Object.assign(document.createElement("canvas"), { width: width * scale, height: height * scale });
  const context = canvas.getContext("2d");
  if (context) {
    context.fillStyle = token("focusBorder");
    const thin = Math.max(1, Math.round(canvas.width / 400));
    for (let x = patch; x < width; x += patch) context.fillRect(x * scale - thin / 2, 0, thin, canvas.height);
    for (let y = patch; y < height; y += patch) context.fillRect(0, y * scale - thin / 2, canvas.width, thin);
  }
  return { source: canvas, width: canvas.width, height: canvas.height, data: null };
}
