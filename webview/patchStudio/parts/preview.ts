import { probability } from "../../../src/shared/format.ts";
import type { PatchPreview, PatchTransforms } from "../../../src/shared/patch.ts";
import type { StudioState } from "../../../src/shared/patchStudio.ts";
import { errorCard } from "../../lib/cards.ts";
import { fileUrl } from "../../lib/connect.ts";
import { columnsOf, fill, h, onChange, type Part, roving, setText, show } from "../../lib/dom.ts";
import { button, dropdown, icon, section } from "../../lib/ui.ts";
import { type Context, figuresText, placementText, previewKind, previewText, targetName } from "../model.ts";
import { firstFault, numberField } from "./fields.ts";

const counts = ["4", "9", "16", "25", "36"].map((value) => ({ value, text: value }));
const icons = { target: "target", fooled: "warning", resisted: "shield" } as const;

/** The patch at random places of many images, with what the model says. */
export function preview(): Part<Context> {
  let context: Context | null = null;
  let count = 16;
  let seed = 1;
  const pictures = dropdown("Pictures", (value) => {
    count = Number(value);
  });
  const transforms = transformFields();
  const go = button("Paste at random places", () => ask(), {
    icon: "refresh",
    appearance: "primary",
    label: "Paste the patch at random places; each press draws new ones",
  });
  const cancel = button("Cancel", () => context?.send({ kind: "cancel", what: "preview" }), { icon: "debug-stop" });
  const fault = h("p", { class: "muted", attributes: { "aria-live": "polite" } });
  const figures = h("p", { attributes: { "aria-live": "polite" } });
  const grid = previewGrid();
  const error = errorCard((intent) => context?.send(intent));
  const ask = (): void => {
    const problem = transforms.fault();
    const value = transforms.value();
    setText(fault, problem ?? "");
    if (!problem && value) context?.send({ kind: "preview", count, transforms: value, seed: seed++ });
  };
  const tools = h("div", { class: "toolbar studio-toolbar" }, pictures.element, ...transforms.elements, go, cancel);
  return {
    element: section("Random places", true, tools, fault, error.element, figures, grid.element),
    update(next) {
      context = next;
      const { state } = next;
      const task = state.preview;
      const running = task?.status === "running";
      pictures.set(counts, String(count));
      transforms.update(state);
      show(go, !running);
      show(cancel, running);
      error.update(task?.error ?? null);
      show(figures, task !== null);
      setText(figures, running ? "Pasting…" : task?.result ? figuresText(task.result.figures, targetName(state)) : "");
      grid.update(state);
    },
  };
}

/** How a place is drawn: as in the training of the patch, until somebody changes it. */
function transformFields() {
  let transforms: PatchTransforms | null = null;
  const set = (change: Partial<PatchTransforms>): void => {
    if (transforms) transforms = { ...transforms, ...change };
  };
  const rotation = numberField("Maximum rotation (°)", { low: 0, high: 180 }, (value) => set({ rotation: value }));
  const low = numberField("Minimum scale", { low: 0.05, high: 1 }, (value) => set({ scaleMin: value }));
  const high = numberField("Maximum scale", { low: 1, high: 4 }, (value) => set({ scaleMax: value }));
  const fields = [rotation, low, high];
  const adopt = onChange((patch: StudioState["patch"], params: StudioState["settings"]["params"]) => {
    const value = (name: string, otherwise: number): number => (typeof params[name] === "number" ? params[name] : otherwise);
    const asked = { rotation: value("rotation", 22.5), scaleMin: value("scaleMin", 1), scaleMax: value("scaleMax", 1) };
    transforms = patch?.document?.transforms ?? asked;
    rotation.set(transforms.rotation);
    low.set(transforms.scaleMin);
    high.set(transforms.scaleMax);
  });
  return {
    elements: fields.map((field) => field.element),
    value: () => transforms,
    fault: () => firstFault(fields),
    update: ({ patch, settings }: StudioState) => adopt(patch, settings.params),
  };
}

function previewGrid(): Part<StudioState> {
  const grid = h("ul", { class: "previews plain", attributes: { "aria-label": "Images with the patch" } });
  const select = roving(grid, "figure", () => columnsOf(grid, "figure"));
  const draw = onChange((shown: readonly PatchPreview[], base: string) => {
    fill(grid, ...shown.map((p) => cell(p, base)));
    select(0);
  });
  return {
    element: grid,
    update({ preview: task, base }) {
      show(grid, Boolean(task?.result));
      if (task?.result) draw(task.result.pictures, base);
    },
  };
}

function cell(p: PatchPreview, base: string): HTMLElement {
  const kind = previewKind(p);
  const text = previewText(p);
  return h(
    "li",
    {},
    h(
      "figure",
      {
        class: kind === "resisted" ? "" : `fooled ${kind === "fooled" ? "other" : ""}`,
        title: `${text}. Patch at ${placementText(p.placement)}`,
        attributes: { tabindex: -1 },
      },
      h("img", { attributes: { src: fileUrl(base, p.file), alt: `Image ${p.image} with the patch: ${text}` } }),
      h(
        "figcaption",
        { attributes: { "aria-hidden": "true" } },
        icon(icons[kind]),
        ` ${p.label.name} → ${p.prediction.name} (${probability(p.prediction.probability)})`,
      ),
    ),
  );
}
