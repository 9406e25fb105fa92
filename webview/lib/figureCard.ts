import { drawFigure } from "../../src/shared/figures/draw.ts";
import type { Figure } from "../../src/shared/figures/figure.ts";
import { panelTheme } from "../../src/shared/figures/theme.ts";
import { h, onChange, type Part } from "./dom.ts";
import { figureFrame, type Save, withoutHidden } from "./figureFrame.ts";
import { pointPicture } from "./pointPicture.ts";
import { svgNode } from "./svgNode.ts";

let cards = 0;

/** A figure in the theme's colours, drawn for the width that it has: its legend switches series, it can be read as a table and saved. */
export function figureCard(save: Save): Part<Figure> {
  const id = `figure-${++cards}`;
  const stage = h("div", { class: "figure-stage" });
  const hidden = new Set<string>();
  let figure: Figure | null = null;
  const draw = onChange((shown: Figure, width: number) => {
    if (width > 0) stage.replaceChildren(svgNode(drawFigure(shown, { ...panelTheme, width, id, hasLegend: false })));
  });
  const redraw = (): void => {
    if (figure) draw(withoutHidden(figure, hidden), Math.floor(stage.clientWidth));
  };
  const frame = figureFrame({ stage, hidden, rebuild: redraw, save });
  pointPicture(stage);
  new ResizeObserver(redraw).observe(stage);
  return {
    element: frame.element,
    update(next) {
      figure = next;
      frame.update(next);
      redraw();
    },
  };
}
