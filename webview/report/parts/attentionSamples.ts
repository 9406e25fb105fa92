import { armLabel, choiceLabel } from "../../../src/shared/labels.ts";
import { attentionFigure } from "../../../src/shared/reportFigures.ts";
import { fileUrl } from "../../lib/connect.ts";
import { fill, h, onChange, type Part, show } from "../../lib/dom.ts";
import { figureCard } from "../../lib/figureCard.ts";
import type { Save } from "../../lib/figureFrame.ts";
import { section } from "../../lib/ui.ts";
import type { ReportContext } from "../context.ts";

/** Attention before and after, for the images the experiment asked for. */
export function attentionSamples(save: Save): Part<ReportContext> {
  const body = h("div", { class: "chart-grid" });
  const element = section("Attention before and after", true, body);
  const draw = onChange(({ report, state, names }: ReportContext) => {
    const className = (index: number): string => state.classNames[index] ?? String(index);
    const options = { href: (file: string) => fileUrl(state.base, file), names, className };
    const cards = report.arms.flatMap((arm) =>
      arm.explanations
        .filter(({ samples }) => samples.length > 0)
        .map((explanation) => {
          const { layer, samples } = explanation;
          const { element: card, update } = figureCard(save);
          update(attentionFigure(`${armLabel(arm)} · ${choiceLabel(explanation)}, layer ${layer}`, samples, options));
          return card;
        }),
    );
    show(element, cards.length > 0);
    fill(body, ...cards);
  });
  return { element, update: draw };
}
