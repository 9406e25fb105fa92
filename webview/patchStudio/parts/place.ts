import { number, percent, probability } from "../../../src/shared/format.ts";
import type { PatchPlacement } from "../../../src/shared/patch.ts";
import type { StudioPlace, StudioState } from "../../../src/shared/patchStudio.ts";
import { errorCard } from "../../lib/cards.ts";
import { fileUrl } from "../../lib/connect.ts";
import { fill, h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { loadPixels, type Pixels } from "../../lib/pixels.ts";
import { button, type Choice, dropdown, icon, section, slider } from "../../lib/ui.ts";
import {
  type Context,
  largestScale,
  nextPlacement,
  type PreviewKind,
  placementText,
  placeText,
  samePlacement,
  settled,
  smallestScale,
} from "../model.ts";
import { placeCanvas } from "./placeCanvas.ts";

const icons: Readonly<Record<PreviewKind, string>> = { target: "target", fooled: "warning", resisted: "shield" };
const help =
  "Drag the patch, or focus the picture: arrow keys move it (with Shift by 8 pixels), + and − scale it, R rotates it (Shift+R back), 0 centres it.";

/** The patch on one picture, placed by hand; the prediction follows. */
export function place(): Part<Context> & { put(placement: PatchPlacement): void } {
  let context: Context | null = null;
  let wish: PatchPlacement | null = null;
  const ask = (): void => {
    const next = nextPlacement(wish, context?.state.place ?? null);
    if (next) context?.send({ kind: "place", placement: next });
  };
  const move = (placement: PatchPlacement): void => {
    wish = placement;
    ask();
    draw();
  };
  const scene = placedPatch(move);
  const image = dropdown("Picture", (file) => context?.send({ kind: "image", file }));
  const browse = button("Other…", () => context?.send({ kind: "image", file: null }), {
    icon: "file-media",
    label: "Place on another picture",
  });
  const turns = turnSliders((change) => {
    const [now, result] = [wish ?? context?.state.place?.placement, context?.state.place?.result];
    if (now && result) move(settled({ ...now, ...change }, { size: result.imageSize, patchSize: result.patchSize }));
  });
  const told = prediction();
  const error = errorCard((intent) => context?.send(intent));
  const draw = (): void => {
    const placement = wish ?? context?.state.place?.placement ?? null;
    if (context) scene.update({ state: context.state, placement });
    if (placement) turns.set(placement);
  };
  const tools = h("div", { class: "toolbar studio-toolbar" }, image.element, browse);
  const left = h("figure", {}, scene.element, h("p", { class: "muted small keys" }, help));
  const row = h("div", { class: "studio-row reversed" }, left, h("div", { class: "stack" }, told.element, turns.element));
  const element = section("Place by hand", true, tools, error.element, row);
  return {
    element,
    put(placement) {
      move(placement);
      element.open = true;
      scene.element.scrollIntoView({ block: "nearest" });
      scene.element.focus();
    },
    update(next) {
      const { state } = next;
      const at = state.place;
      if (isAnother(context?.state, state)) wish = null;
      context = next;
      image.set(imageChoices(state), at?.image ?? "");
      error.update(at?.error ?? null);
      show(row, at !== null && at.result !== null);
      if (!at || !state.patch) return;
      told.update(at);
      ask();
      draw();
    },
  };
}

/** Another picture or patch, or one that was put into the middle: where the last one lay says nothing about it. */
const isAnother = (before: StudioState | undefined, now: StudioState): boolean =>
  before?.place?.image !== now.place?.image || before?.patch?.file !== now.patch?.file || now.place?.placement === null;

function imageChoices({ images, place: at }: StudioState): readonly Choice[] {
  if (!at || images.some((image) => image.value === at.image)) return images;
  return [...images, { value: at.image, text: at.image.split(/[\\/]/).at(-1) ?? at.image }];
}

type Loaded = Readonly<Record<"image" | "patch" | "pasted", Pixels | null>>;

/** The canvas with what it shows: the engine's own picture where it is of this place, else the patch laid over the clean one. */
function placedPatch(moved: (placement: PatchPlacement) => void): Part<{ state: StudioState; placement: PatchPlacement | null }> {
  let loaded: Loaded = { image: null, patch: null, pasted: null };
  let pastedOf: PatchPlacement | null = null;
  let now: { readonly state: StudioState; readonly placement: PatchPlacement | null } | null = null;
  const canvas = placeCanvas(moved);
  const load = onChange((imageUrl: string, patchUrl: string, pastedUrl: string | null, shown: PatchPlacement | null) => {
    const one = (url: string | null): Promise<Pixels | null> => (url ? loadPixels(url).catch(() => null) : Promise.resolve(null));
    void Promise.all([one(imageUrl), one(patchUrl), one(pastedUrl)]).then(([image, patch, pasted]) => {
      loaded = { image, patch, pasted };
      pastedOf = shown;
      draw();
    });
  });
  const draw = (): void => {
    const at = now?.state.place;
    const placement = now?.placement;
    if (!at?.result || !placement) {
      canvas.draw(null, "No picture yet");
      return;
    }
    const { imageSize: size, patchSize } = at.result;
    const pasted = samePlacement(placement, pastedOf) ? loaded.pasted : null;
    const spoken = `Patch at ${placementText(placement)}. ${placeText(at)?.text ?? ""}`;
    canvas.draw({ ...loaded, pasted, size, patchSize, placement }, spoken);
  };
  return {
    element: canvas.element,
    update(next) {
      now = next;
      const { place: at, patch, base } = next.state;
      if (at && patch) load(at.uri, patch.uri, at.result ? fileUrl(base, at.result.image) : null, at.shown);
      draw();
    },
  };
}

function turnSliders(change: (change: Partial<PatchPlacement>) => void) {
  const rotation = slider("Rotation", { min: -180, max: 180, step: 1, value: 0 }, (value) => change({ rotation: value }));
  const scale = slider("Scale", { min: smallestScale, max: largestScale, step: 0.05, value: 1 }, (value) => change({ scale: value }));
  const readout = h("p", { class: "muted", attributes: { "aria-live": "off" } });
  const field = (name: string, control: HTMLElement): HTMLElement =>
    h("label", { class: "field" }, h("span", { class: "field-name" }, name), control);
  const sliders = h("div", { class: "control-row" }, field("Rotation", rotation.element), field("Scale", scale.element));
  return {
    element: h("div", { class: "stack" }, readout, sliders),
    set(placement: PatchPlacement): void {
      setText(readout, `Patch at ${placementText(placement)}`);
      rotation.set(placement.rotation, `${Math.round(placement.rotation)} degrees`);
      scale.set(placement.scale, `${number(placement.scale, 2)} times`);
    },
  };
}

/** What the model says, announced; how much is covered, and the classes that matter. */
function prediction(): Part<StudioPlace> {
  const verdict = h("p", { class: "verdict", attributes: { "aria-live": "polite" } });
  const coverage = h("p", { class: "muted" });
  const scores = h("table", { class: "score-table" });
  const tell = onChange((result: StudioPlace["result"], at: StudioPlace) => {
    const said = placeText(at);
    show(verdict, said !== null);
    if (said) {
      verdict.className = `verdict ${said.kind === "resisted" ? "resisted" : "fooled"}`;
      fill(verdict, icon(icons[said.kind]), h("span", {}, said.text));
    }
    show(scores, result !== null);
    if (!result) return;
    setText(
      coverage,
      `The patch covers ${percent(result.coverage)} of the image${result.fits ? "" : "; part of it extends past the border"}.`,
    );
    fill(scores, ...scoreRows(result));
  });
  return { element: h("div", { class: "stack" }, verdict, coverage, scores), update: (at) => tell(at.result, at) };
}

const shownClasses = 4;
/** The classes that matter: the most probable ones before and after. */
function scoreRows({ clean, patched, label, target }: NonNullable<StudioPlace["result"]>): HTMLElement[] {
  const wanted = [label.index, patched[0]?.index, target?.index, ...clean.map((c) => c.index)].filter((i) => i !== undefined);
  const indices = [...new Set(wanted)].slice(0, shownClasses);
  const of = (scores: typeof clean, index: number): number => scores.find((s) => s.index === index)?.probability ?? 0;
  const bar = (value: number, kind: string): HTMLElement => {
    const fillBar = h("span", { class: `bar ${kind}` });
    fillBar.style.width = `${value * 100}%`;
    return h(
      "td",
      {},
      h("div", { class: "bar-cell" }, h("span", { class: "bar-track" }, fillBar), h("span", { class: "bar-number" }, probability(value))),
    );
  };
  const head = ["Class", "Clean", "With patch"].map((text) => h("th", { attributes: { scope: "col" } }, text));
  const rows = indices.map((index) => {
    const name = clean.find((s) => s.index === index)?.name ?? String(index);
    const mark = index === target?.index ? " (target)" : index === label.index ? " (label)" : "";
    return h(
      "tr",
      {},
      h("th", { title: name, attributes: { scope: "row" } }, `${name}${mark}`),
      bar(of(clean, index), ""),
      bar(of(patched, index), "adversarial"),
    );
  });
  return [h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)];
}
