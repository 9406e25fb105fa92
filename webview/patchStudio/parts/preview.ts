import type { PatchPreview, PatchTransforms } from "../../../src/shared/patch.ts";
import { errorCard } from "../../lib/cards.ts";
import { fileUrl } from "../../lib/connect.ts";
import { fill, h, onChange, type Part, roving, setText, show } from "../../lib/dom.ts";
import { button, dropdown, icon, section } from "../../lib/ui.ts";
import { type Context, figuresText, placementText, previewKind, previewText, targetName } from "../model.ts";
import { numberField } from "./setup.ts";

const counts = ["4", "9", "16", "25", "36"].map((value) => ({ value, text: value }));
const icons = { target: "target", fooled: "warning", resisted: "shield" } as const;

/** The patch at random places of many images, with what the model says. */
export function preview(): Part<Context> {
  let context: Context | null = null;
  let transforms: PatchTransforms | null = null;
  let count = 16;
  let seed = 1;
  const set = (change: Partial<PatchTransforms>): void => {
    if (transforms) transforms = { ...transforms, ...change };
  };
  const pictures = dropdown("pictures", (value) => {
    count = Number(value);
  });
  const rotation = numberField("turned by at most (degrees)", 0, 180, (value) => set({ rotation: value }), false);
  const low = numberField("scaled by at least", 0.05, 1, (value) => set({ scaleMin: value }), false);
  const high = numberField("at most", 1, 4, (value) => set({ scaleMax: value }), false);
  const go = button("Paste at random", () => ask(), {
    icon: "refresh",
    appearance: "primary",
    label: "Paste the patch at random places; every press draws new ones",
  });
  const cancel = button("Cancel", () => context?.send({ kind: "cancel", what: "preview" }), { icon: "debug-stop" });
  const fault = h("p", { class: "muted", attributes: { "aria-live": "polite" } });
  const figures = h("p", { attributes: { "aria-live": "polite" } });
  const grid = h("ul", { class: "previews plain", attributes: { "aria-label": "Images with the patch" } });
  const columns = (): number => {
    const all = [...grid.children].filter((one) => one instanceof HTMLElement);
    return Math.max(1, all.filter((one) => one.offsetTop === all[0]?.offsetTop).length);
  };
  const select = roving(grid, "figure", columns);
  const error = errorCard({ fix: (id) => context?.send({ kind: "fix", id }), showLog: () => context?.send({ kind: "showLog" }) });
  const ask = (): void => {
    const problem = [rotation, low, high].map((field) => field.fault()).find((text) => text !== null) ?? null;
    setText(fault, problem ?? "");
    if (!problem && transforms) context?.send({ kind: "preview", count, transforms, seed: seed++ });
  };
  const draw = onChange((shown: readonly PatchPreview[], base: string) => {
    fill(grid, ...shown.map((p) => cell(p, base)));
    select(0);
  });
  const adopt = onChange((_patch: string, settings: Readonly<Record<string, unknown>>) => {
    const known = context?.state.patch?.document?.transforms;
    const value = (name: string, otherwise: number): number => (typeof settings[name] === "number" ? settings[name] : otherwise);
    transforms = known ?? { rotation: value("rotation", 22.5), scaleMin: value("scaleMin", 1), scaleMax: value("scaleMax", 1) };
  });
  const element = section(
    "Try under random transforms",
    true,
    h("div", { class: "toolbar studio-toolbar" }, pictures.element, rotation.element, low.element, high.element, go, cancel),
    fault,
    error.element,
    figures,
    grid,
  );
  return {
    element,
    update(next) {
      context = next;
      const { state } = next;
      const task = state.preview;
      adopt(state.patch?.file ?? "", state.settings.params);
      pictures.set(counts, String(count));
      if (transforms) {
        rotation.set(transforms.rotation);
        low.set(transforms.scaleMin);
        high.set(transforms.scaleMax);
      }
      const running = task?.status === "running";
      show(go, !running);
      show(cancel, running);
      error.update(task?.error ?? null);
      show(figures, task !== null);
      setText(figures, running ? "Pasting…" : task?.result ? figuresText(task.result.figures, targetName(state)) : "");
      show(grid, Boolean(task?.result));
      if (task?.result) draw(task.result.pictures, state.base);
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
        ` ${p.label.name} → ${p.prediction.name} (${p.prediction.probability.toFixed(2)})`,
      ),
    ),
  );
}
