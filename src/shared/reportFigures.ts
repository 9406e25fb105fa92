import type { Figure, LineFigure, PicturesFigure } from "./figures/figure.ts";
import { percent } from "./format.ts";
import { type AnalysisResult, type ExplanationSample, type RunReport, wilson } from "./results.ts";

/** Everything that an analysis draws, its line charts first. */
export const analysisFigures = ({ charts, figures = [] }: Pick<AnalysisResult, "charts" | "figures">): Figure[] => [
  ...charts.map((chart): LineFigure => ({ kind: "line", ...chart })),
  ...figures,
];

/** Accuracy over ε, where an attack was run with several: one line an arm and attack. Null where there is no such attack. */
export function epsilonFigure(report: RunReport): LineFigure | null {
  const lines = new Map<string, { colour: number; kind: number; points: Map<number, readonly [correct: number, n: number]> }>();
  const kinds: string[] = [];
  for (const [colour, arm] of report.arms.entries())
    for (const { attack, attacked, clean, n } of arm.attacks) {
      const eps = attack.params["eps"];
      if (typeof eps !== "number") continue;
      if (!kinds.includes(attack.id)) kinds.push(attack.id);
      const name = `${arm.name}, ${attack.id}`;
      const line = lines.get(name) ?? { colour, kind: kinds.indexOf(attack.id), points: new Map([[0, [clean.correct, n] as const]]) };
      line.points.set(eps, [attacked.correct, n]);
      lines.set(name, line);
    }
  const long = [...lines].filter(([, { points }]) => points.size > 2);
  if (long.length === 0) return null;
  return {
    kind: "line",
    title: "Accuracy over ε",
    x: { label: "ε", unit: "images are in 0…1", format: "number" },
    y: { label: "Accuracy under attack", format: "percent", range: [0, 1] },
    series: long.map(([label, { colour, kind, points }]) => ({
      label,
      colour,
      ...(kind > 0 ? { isDashed: true } : {}),
      points: [...points].sort(([a], [b]) => a - b).map(([x, [correct, n]]) => share(x, correct, n)),
    })),
  };
}

function share(x: number, correct: number, n: number) {
  const interval = wilson(correct, n);
  return interval ? { x, y: correct / n, low: interval[0], high: interval[1] } : { x, y: null };
}

/** The image before and after the attack, each with the attention on it, a row for every sample. */
export function attentionFigure(
  title: string,
  samples: readonly ExplanationSample[],
  href: (file: string) => string,
  className: (index: number) => string = String,
): PicturesFigure {
  return {
    kind: "pictures",
    title,
    columns: ["Clean", "Attention", "Attacked", "Attention"],
    rows: samples.map(({ index, label, attack, clean, adversarial, iou }) => ({
      label: `${attack}, image ${index}, class ${className(label)}; areas overlap ${percent(iou)} (IoU)`,
      pictures: [
        { href: href(clean.image), text: className(clean.prediction) },
        { href: href(clean.attention), text: "" },
        {
          href: href(adversarial.image),
          text: `${className(adversarial.prediction)}${clean.prediction === adversarial.prediction ? "" : " ✗"}`,
        },
        { href: href(adversarial.attention), text: "" },
      ],
    })),
  };
}
