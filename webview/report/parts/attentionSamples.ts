import type { ReportState } from "../../../src/shared/panels.ts";
import { attentionFigure } from "../../../src/shared/reportFigures.ts";
import { fileUrl } from "../../lib/connect.ts";
import { fill, h, onChange, type Part, show } from "../../lib/dom.ts";
import { figureCard } from "../../lib/figureCard.ts";
import type { Save } from "../../lib/figureFrame.ts";
import { section } from "../../lib/ui.ts";

/** Attention before and after, for the images the experiment asked for. */
export function attentionSamples(save: Save): Part<ReportState> {
  const body = h("div", { class: "chart-grid" });
  const element = section("Attention before and after", true, body);
  const draw = onChange((report: ReportState["report"], state: ReportState) => {
    const name = (index: number): string => state.classNames[index] ?? String(index);
    const cards = (report?.arms ?? []).flatMap((arm) =>
      arm.explanations
        .filter(({ samples }) => samples.length > 0)
        .map(({ id, layer, samples }) => {
          const { element: card, update } = figureCard(save);
          update(attentionFigure(`${arm.name} · ${id}, layer ${layer}`, samples, (file) => fileUrl(state.base, file), name));
          return card;
        }),
    );
    show(element, cards.length > 0);
    fill(body, ...cards);
  });
  return { element, update: (state) => draw(state.report, state) };
}
