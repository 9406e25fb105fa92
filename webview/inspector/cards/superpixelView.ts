import type { AttentionResult } from "../../../src/shared/cards.ts";
import { fill, h, onChange, setText, show } from "../../lib/dom.ts";
import type { Outline } from "../../lib/image.ts";
import type { Pixel } from "../../lib/loupe.ts";
import { slider } from "../../lib/ui.ts";
import { edgesOf, marked, type Segments, superpixelText, used, weightText } from "../superpixels.ts";

/** 0 is the clean picture, 1 the adversarial one. */
type Side = 0 | 1;
interface Marks {
  /** Superpixels that are marked in each picture; null for all of positive weight. */
  readonly count: number | null;
  readonly selected: { readonly side: Side; readonly superpixel: number } | null;
}
const none: Marks = { count: null, selected: null };
const hint = "Click a superpixel, or press Enter on one, to see its weight.";

/** Superpixels of an explanation: their outlines over the pictures, how many are marked, and what the one that is selected weighs. */
export function superpixelView(redraw: () => void) {
  let result: AttentionResult | null = null;
  let marks = none;
  const set = (change: Partial<Marks>): void => {
    marks = { ...marks, ...change };
    draw();
    redraw();
  };
  const select = (side: Side, superpixel: number): void => {
    const { selected } = marks;
    set({ selected: selected?.side === side && selected.superpixel === superpixel ? null : { side, superpixel } });
  };
  const of = (side: Side) => (side === 0 ? result?.clean : result?.adversarial);
  const weightsOf = (side: Side): readonly number[] => of(side)?.superpixels?.weights ?? [];
  const positive = (): number => Math.max(...([0, 1] as const).map((side) => marked(weightsOf(side), Number.POSITIVE_INFINITY).length));
  const most = slider("Marked superpixels", { min: 1, max: 1, step: 1, value: 1 }, (count) => set({ count }));
  const amount = h("span", { class: "muted" });
  const field = h("label", { class: "field" }, h("span", { class: "field-name" }, "Marked superpixels ", amount), most.element);
  const lists = [weightList("Clean", (i) => select(0, i)), weightList("Adversarial", (i) => select(1, i))] as const;
  const text = h("p", { class: "small", attributes: { role: "status" } });
  const element = h("div", { class: "stack superpixels" }, field, lists[0].element, lists[1].element, text);

  function draw(): void {
    const count = marks.count ?? positive();
    most.set(count, `${count} of ${positive()}`);
    setText(amount, String(count));
    show(field, positive() > 1);
    const { selected } = marks;
    for (const side of [0, 1] as const) lists[side].update(weightsOf(side), count, selected?.side === side ? selected.superpixel : null);
    const name = selected && of(selected.side)?.prediction.name;
    setText(text, selected && name ? superpixelText(weightsOf(selected.side), selected.superpixel, name) : hint);
  }
  return {
    element,
    update: onChange((next: AttentionResult | null) => {
      [result, marks] = [next, none];
      most.element.max = String(Math.max(1, positive()));
      show(element, next?.clean.superpixels !== undefined);
      draw();
    }),
    /** A pixel of a picture was clicked. */
    pick: (side: Side, { numbers, width }: Segments, { row, column }: Pixel): void => select(side, numbers[row * width + column] ?? 0),
    outlines: (side: Side, segments: Segments): readonly Outline[] => outlinesOf(side, segments, marks),
  };
}

/** The weights of one picture as buttons, the largest first. */
function weightList(name: string, select: (superpixel: number) => void) {
  const buttons = h("div", {
    class: "superpixel-list",
    attributes: { role: "group", "aria-label": `Weights of superpixels, ${name.toLowerCase()}` },
  });
  const make = onChange((weights: readonly number[]) => {
    const button = (superpixel: number): HTMLElement =>
      h(
        "button",
        {
          class: "superpixel",
          attributes: { type: "button", "data-superpixel": superpixel },
          on: { click: () => select(superpixel) },
        },
        weightText(weights[superpixel] ?? 0),
      );
    fill(buttons, h("span", { class: "muted small" }, name), ...used(weights).map(button));
  });
  return {
    element: buttons,
    update(weights: readonly number[], count: number, selected: number | null): void {
      show(buttons, used(weights).length > 0);
      make(weights);
      const first = marked(weights, count);
      for (const button of buttons.querySelectorAll<HTMLElement>("button")) {
        const superpixel = Number(button.dataset["superpixel"]);
        const isMarked = first.includes(superpixel);
        button.classList.toggle("marked", isMarked);
        button.setAttribute("aria-pressed", String(superpixel === selected));
        const weight = weightText(weights[superpixel] ?? 0);
        button.setAttribute("aria-label", `${weight}, superpixel ${superpixel + 1}${isMarked ? ", marked" : ""}`);
      }
    },
  };
}

/** What was drawn last: edges are looked for when the marks change, not with every state of the panel. */
const drawn = new WeakMap<Segments, { readonly marks: Marks; readonly outlines: readonly Outline[] }>();

/** All edges thin, those of marked superpixels bold, those of the selected one dashed on top. */
function outlinesOf(side: Side, segments: Segments, marks: Marks): readonly Outline[] {
  const known = drawn.get(segments);
  if (known?.marks === marks) return known.outlines;
  const { count, selected } = marks;
  const first = new Set(marked(segments.weights, count ?? Number.POSITIVE_INFINITY));
  const outlines = [
    { lines: edgesOf(segments), thickness: 1 },
    { lines: edgesOf(segments, first), thickness: 4 },
    ...(selected?.side === side ? [{ lines: edgesOf(segments, new Set([selected.superpixel])), thickness: 6, isDashed: true }] : []),
  ];
  drawn.set(segments, { marks, outlines });
  return outlines;
}
