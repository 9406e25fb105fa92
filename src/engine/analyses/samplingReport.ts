import type { PicturesFigure } from "../../shared/figures/figure.ts";
import { number } from "../../shared/format.ts";
import type { AnalysisChart, AnalysisTable } from "../../shared/results.ts";
import type { AnalysedArm, Presentation } from "../define/analysis.ts";
import { labelOf, reportsOf } from "./columns.ts";
import { kinds, type MatrixData } from "./sampledMatrices.ts";
import type { ProbabilityData } from "./samplingProbabilities.ts";

const kindNames = { noise: "noise", clean: "clean image", adversarial: "adversarial image" };

/** A matrix of an image of an arm, with how titles call it. */
interface Shown extends MatrixData {
  readonly arm: string;
  readonly image: number;
  readonly place: string;
}

/** Curves and maps of every matrix, and its figures in a table. */
export function presentProbabilities(arms: readonly AnalysedArm[]): Presentation {
  const dataOf = ({ data }: AnalysedArm): ProbabilityData => data as ProbabilityData;
  const shown = arms.flatMap((arm) =>
    dataOf(arm).images.flatMap(({ index, matrices }) =>
      matrices.map((matrix): Shown => {
        const names = [arms.length > 1 ? arm.report.name : "", `image ${index}`, matrix.layer ?? "pixels"];
        return { ...matrix, arm: arm.report.name, image: index, place: names.filter((name) => name !== "").join(", ") };
      }),
    ),
  );
  const attacks = [...new Set(arms.map((arm) => labelOf(reportsOf(arms), dataOf(arm).attack)))];
  const spared = arms.filter((arm) => dataOf(arm).images.some(({ fooled }) => !fooled)).map(({ report }) => report.name);
  return {
    title: "Sampling probabilities",
    charts: shown.map(chartOf),
    figures: shown.map(picturesOf),
    tables: [tableOf(shown)],
    notes: [
      `Adversarial: ${attacks.join(", ")}. Noise: the adversarial less the clean values, of the image and of each layer.`,
      "Rows are the places of a map, drawn with the probabilities of minimum-variance sampling. Curves: rows in the order of the clean image's probability.",
      ...(shown.some(({ probabilities }) => probabilities.some(({ active }) => active === 0))
        ? ["Where every row is 0 (–) there is nothing to draw, and the values stay as they are."]
        : []),
      ...(arms.some(({ report }) => report.slices)
        ? [
            "Layers of a volumized network are compared place by place of the volume: where the attack moves slices, the noise there is that of other slices.",
          ]
        : []),
      ...spared.map((name) => `The attack fools ${name} on no image that it classifies correctly: the first image is shown.`),
    ],
  };
}

function chartOf({ place, probabilities }: Shown): AnalysisChart {
  const drawn = probabilities.filter(({ active }) => active > 0);
  return {
    title: `Probabilities, ${place}`,
    x: { label: "row, by the clean image's probability", format: "count" },
    y: { label: "probability", format: "number", scale: "log" },
    series: drawn.map(({ kind, c, curve }) => ({
      label: `${kindNames[kind]}, c = ${c}`,
      colour: kinds.indexOf(kind),
      ...(kind === "adversarial" ? { isDashed: true } : {}),
      points: curve.map(([x, p]) => ({ x, y: p > 0 ? p : null })),
    })),
  };
}

function picturesOf({ place, probabilities }: Shown): PicturesFigure {
  const draws = [...new Set(probabilities.map(({ c }) => c))];
  return {
    kind: "pictures",
    title: `Where rows are drawn, ${place}`,
    columns: draws.map((c) => `c = ${c}`),
    rows: kinds.map((kind) => ({
      label: kindNames[kind],
      pictures: probabilities
        .filter((one) => one.kind === kind)
        .map(({ map, spread }) => ({ href: map, text: spread === null ? "every row is 0" : `largest over smallest ${number(spread)}` })),
    })),
  };
}

const tableOf = (shown: readonly Shown[]): AnalysisTable => ({
  title: "Probabilities of rows",
  columns: [
    { name: "arm", format: "text" },
    { name: "image", format: "count" },
    { name: "matrix", format: "text" },
    { name: "values of", format: "text" },
    { name: "draws c", format: "count" },
    { name: "rows", format: "count" },
    { name: "not 0", format: "count" },
    { name: "kept in a pass", format: "percent" },
    { name: "entropy (nats)", format: "number" },
    { name: "largest over smallest", format: "number" },
    { name: "drawn elsewhere than clean", format: "percent" },
  ],
  rows: shown.flatMap(({ arm, image, layer, rows, probabilities }) =>
    probabilities.map(({ kind, c, active, kept, entropy, spread, distance }) => [
      ...[arm, image, layer ?? "pixels", kindNames[kind], c, rows, active],
      ...[kept, entropy, spread, distance],
    ]),
  ),
});
