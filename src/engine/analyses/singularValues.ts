import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import type { AnalysisChart, AnalysisTable } from "../../shared/results.ts";
import { type AnalysedArm, defineAnalysis } from "../define/analysis.ts";
import { int, text } from "../define/index.ts";
import { type SingularValues, singularValues as valuesOf } from "../metrics/singularValues.ts";
import { groupBy } from "./groupBy.ts";

/** What was measured of a kernel. */
interface KernelData extends SingularValues {
  readonly layer: string;
  readonly rows: number;
  readonly columns: number;
}
interface Data {
  readonly kernels: readonly KernelData[];
  /** Kernels that were left out, and why. */
  readonly left: readonly string[];
}

/**
 * Singular values of every kernel (paper 4, Figure 6), a convolution's as a matrix of k²·C rows and as many columns as it has filters. A steep fall
 * means that the filters are combinations of a few; α of a compact layer, which scales all of them, is no part of it.
 */
export const singularValues = defineAnalysis({
  id: "singularValues",
  title: "Singular values of the kernels",
  paper: "Ranjan et al. 2017",
  params: Type.Object({
    layers: text("", 'Names of the layers, such as "conv1, fc1"; all layers with a kernel when left out.'),
    values: int(50, "The largest so many values of each kernel.", { min: 1, max: 4096 }),
    side: int(1024, "Kernels with more rows and more columns than this are left out: they would take minutes.", { min: 1, advanced: true }),
  }),
  async measure({ model }, { layers, values, side }, ctx): Promise<Data> {
    const wanted = layers.split(",").flatMap((name) => name.trim() || []);
    const all = (model.layers?.all ?? []).filter(({ name }) => model.layers?.kernel(name) !== undefined);
    const missing = wanted.find((name) => !all.some((layer) => layer.name === name));
    if (missing !== undefined)
      throw new BulwarkError(
        "PARAMETER_INVALID",
        `singularValues: the model has no layer "${missing}" with a kernel.`,
        all.length > 0 ? `It has ${all.map(({ name }) => name).join(", ")}.` : "Its layers do not show.",
      );
    const kernels: KernelData[] = [];
    const left: string[] = [];
    for (const { name, type } of all.filter((layer) => wanted.length === 0 || wanted.includes(layer.name))) {
      await ctx.checkpoint();
      const kernel = model.layers?.kernel(name);
      if (!kernel) continue;
      const columns = kernel.shape.at(-1) ?? 1;
      const rows = kernel.shape.slice(0, -1).reduce((a, b) => a * b, 1);
      if (/Depthwise|Separable/.test(type)) left.push(`${name}, whose kernel has a filter for each channel and is no matrix`);
      else if (Math.min(rows, columns) > side) left.push(`${name}, which is ${rows}×${columns}`);
      else kernels.push({ layer: name, rows, columns, ...valuesOf(await kernel.values(), rows, columns, values) });
    }
    return { kernels, left };
  },
  present(arms) {
    const measured = arms.map((arm) => ({ arm: arm.report.name, ...(arm.data as Data) }));
    return {
      title: "Singular values of the kernels",
      charts: charts(arms),
      tables: [tableOf(measured)],
      notes: [
        "The effective rank is ‖W‖² over the largest singular value squared: 1 where all filters are multiples of one.",
        ...measured.flatMap(({ arm, left }) => left.map((text) => `${arm}: without ${text}.`)),
        ...measured.flatMap(({ arm, kernels, left }) =>
          kernels.length + left.length === 0 ? [`${arm}: no kernels, as the layers of the model do not show.`] : [],
        ),
      ],
    };
  },
});

/** One chart for a single arm; else one for each layer, with a line for each arm that has it. */
function charts(arms: readonly AnalysedArm[]): AnalysisChart[] {
  const lines = arms.flatMap(({ report, data }, at) => (data as Data).kernels.map((kernel) => ({ arm: report.name, at, kernel })));
  if (arms.length === 1) return lines.length === 0 ? [] : [chartOf("Singular values", lines, ({ kernel }) => kernel.layer)];
  return [...groupBy(lines, ({ kernel }) => kernel.layer)].map(([layer, ofLayer]) =>
    chartOf(`Singular values of ${layer}`, ofLayer, ({ arm }) => arm),
  );
}

interface Line {
  readonly arm: string;
  /** Place of the arm, which is its colour. */
  readonly at: number;
  readonly kernel: KernelData;
}
const chartOf = (title: string, lines: readonly Line[], labelOf: (line: Line) => string): AnalysisChart => ({
  title,
  x: { label: "place, the largest first", format: "count" },
  y: { label: "singular value", format: "number" },
  series: lines.map((line, i) => ({
    label: labelOf(line),
    colour: new Set(lines.map(({ arm }) => arm)).size > 1 ? line.at : i,
    points: line.kernel.values.map((y, place) => ({ x: place + 1, y })),
  })),
});

const tableOf = (measured: readonly (Data & { readonly arm: string })[]): AnalysisTable => ({
  title: "Kernels",
  columns: [
    { name: "arm", format: "text" },
    { name: "layer", format: "text" },
    { name: "rows", format: "count" },
    { name: "columns", format: "count" },
    { name: "rank", format: "count" },
    { name: "largest", format: "number" },
    { name: "median of those shown", format: "number" },
    { name: "effective rank", format: "number" },
    { name: "‖W‖", format: "number" },
  ],
  rows: measured.flatMap(({ arm, kernels }) =>
    kernels.map(({ layer, rows, columns, rank, values, sumOfSquares }) => {
      const [first] = values;
      const median = values[Math.floor(values.length / 2)] ?? null;
      const effective = first === undefined ? null : sumOfSquares / first ** 2;
      return [arm, layer, rows, columns, rank, first ?? null, median, effective, Math.sqrt(sumOfSquares)];
    }),
  ),
});
