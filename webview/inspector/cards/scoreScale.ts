import { number } from "../../../src/shared/format.ts";
import { fill, h, onChange, type Part, show } from "../../lib/dom.ts";

export interface ScaleRow {
  readonly name: string;
  readonly score: number;
  readonly colour: "clean" | "adversarial";
}
export interface Scale {
  readonly rows: readonly ScaleRow[];
  readonly threshold: number | null;
  /** End of the scale, which begins at 0. */
  readonly end: number;
  /** "Entropy of the votes" */
  readonly label: string;
  readonly unit: string;
}

/** Scores as bars on one scale with the threshold across them. The numbers stand beside, and say on which side each lies. */
export function scoreScale(): Part<Scale | null> {
  const element = h("div", { class: "score-scale" });
  const draw = onChange((key: string) => {
    const scale: Scale | null = JSON.parse(key);
    if (!scale) return;
    const { rows, threshold, end, label, unit } = scale;
    const at = (value: number): string => `${Math.min(100, Math.max(0, (value / end) * 100))}%`;
    const row = ({ name, score, colour }: ScaleRow): HTMLElement[] => {
      const bar = h("span", { class: `bar ${colour}` });
      bar.style.width = at(score);
      const mark = threshold === null ? null : h("span", { class: "threshold-mark" });
      if (mark) mark.style.left = at(threshold ?? 0);
      const side = threshold === null ? "" : score > threshold ? " above" : " not above";
      return [
        h("dt", {}, name),
        h("dd", { class: "bar-track", attributes: { "aria-hidden": "true" } }, bar, mark),
        h("dd", { class: "score-number" }, `${number(score)}${side}`),
      ];
    };
    const marked = threshold === null ? "" : `; the line is the threshold, ${number(threshold)}`;
    fill(
      element,
      h("dl", {}, ...rows.flatMap(row)),
      h("p", { class: "muted small" }, `${label}${unit === "" ? "" : ` in ${unit}`}, from 0 to at most ${number(end)}${marked}.`),
    );
  });
  return {
    element,
    update(scale) {
      show(element, scale !== null);
      draw(JSON.stringify(scale));
    },
  };
}
