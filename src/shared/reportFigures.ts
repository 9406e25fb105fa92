import type { Figure, LineFigure, PicturesFigure } from "./figures/figure.ts";
import { epsilon, percent } from "./format.ts";
import { armLabel, choiceLabel, type Names } from "./labels.ts";
import { type AnalysisResult, type ExplanationSample, type RunReport, wilson } from "./results.ts";

/**
 * Everything that an analysis draws, its line charts first, with arms by what they are called.
 * @param href address of a file of the run folder, by which reports hold pictures
 */
export const analysisFigures = (
  { charts, figures = [] }: Pick<AnalysisResult, "charts" | "figures">,
  names: Pick<Names, "text">,
  href: (file: string) => string = (file) => file,
): Figure[] => [...charts.map((chart): Figure => ({ kind: "line", ...chart })), ...figures].map((figure) => renamed(figure, names, href));

/** Files of the run folder that the figures of analyses show. */
export const analysisPictures = (analyses: readonly Pick<AnalysisResult, "figures">[]): string[] =>
  analyses.flatMap(({ figures = [] }) =>
    figures.flatMap((figure) =>
      figure.kind === "pictures" ? figure.rows.flatMap(({ pictures }) => pictures.map(({ href }) => href)) : [],
    ),
  );

function renamed(figure: Figure, { text }: Pick<Names, "text">, href: (file: string) => string): Figure {
  const relabelled = <T extends { readonly label: string }>(all: readonly T[]): T[] =>
    all.map((one) => ({ ...one, label: text(one.label) }));
  switch (figure.kind) {
    case "line":
      return { ...figure, series: relabelled(figure.series) };
    case "scatter": {
      const named = <P extends { readonly label?: string; readonly picture?: string }>(point: P): P => ({
        ...point,
        ...(point.label ? { label: text(point.label) } : {}),
        ...(point.picture ? { picture: href(point.picture) } : {}),
      });
      return { ...figure, series: relabelled(figure.series).map((one) => ({ ...one, points: one.points.map(named) })) };
    }
    case "histogram":
      return { ...figure, series: relabelled(figure.series) };
    case "box":
      return { ...figure, boxes: relabelled(figure.boxes) };
    case "bar":
      return { ...figure, series: relabelled(figure.series), groups: { ...figure.groups, names: figure.groups.names.map(text) } };
    case "heatmap": {
      const { rows, columns } = figure;
      return { ...figure, rows: { ...rows, names: rows.names.map(text) }, columns: { ...columns, names: columns.names.map(text) } };
    }
    case "pictures":
      return {
        ...figure,
        rows: relabelled(figure.rows).map((row) => ({
          ...row,
          pictures: row.pictures.map((picture) => ({ href: href(picture.href), text: text(picture.text) })),
        })),
      };
  }
}

/** Accuracy over ε, where an attack was run with several: one line an arm and attack. Null where there is no such attack. */
export function epsilonFigure(report: RunReport): LineFigure | null {
  const lines = new Map<string, { colour: number; kind: number; points: Map<number, readonly [correct: number, n: number]> }>();
  const kinds: string[] = [];
  for (const [colour, arm] of report.arms.entries())
    for (const { attack, attacked, clean, n, label } of arm.attacks) {
      const eps = attack.params["eps"];
      if (typeof eps !== "number") continue;
      if (!kinds.includes(attack.id)) kinds.push(attack.id);
      const { eps: _eps, ...others } = attack.params;
      const strength = `, ε ${epsilon(eps)}`;
      const title = label?.includes(strength) ? label.replace(strength, "") : choiceLabel({ id: attack.id, params: others });
      const name = `${armLabel(arm)}, ${title}`;
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

export interface AttentionOptions {
  /** Address of a picture. */
  href(file: string): string;
  readonly names: Pick<Names, "attack">;
  className?(index: number): string;
}

/** The image before and after the attack, each with the attention on it, a row for every sample. */
export function attentionFigure(
  title: string,
  samples: readonly ExplanationSample[],
  { href, names, className = String }: AttentionOptions,
): PicturesFigure {
  return {
    kind: "pictures",
    title,
    columns: ["Clean", "Attention", "Attacked", "Attention"],
    rows: samples.map(({ index, label, attack, clean, adversarial, iou }) => ({
      label: `${names.attack(attack)}, image ${index}, class ${className(label)}; areas overlap ${percent(iou)} (IoU)`,
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
