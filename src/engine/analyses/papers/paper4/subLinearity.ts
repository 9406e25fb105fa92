import { Type } from "@sinclair/typebox";
import { defineAnalysis } from "../../../define/analysis.ts";
import { num } from "../../../define/index.ts";
import { CompactDense } from "../../../models/layers/index.ts";
import { tf, tfl } from "../../../tf.ts";

interface Line {
  readonly inputs: number;
  /** Largest |y(x + η) − y(x)| of the one output. */
  readonly plain: number;
  readonly compact: number;
}

/**
 * Paper 4, section 3.3: how far a perturbation of all inputs moves one output. Computed with the layers themselves: x = 1 everywhere, as many
 * weights of 1 as of −1, η = ε·sign(w), and in the compact layer α = 1 and δ = 0.
 */
export const subLinearity = defineAnalysis({
  id: "subLinearity",
  title: "Growth with the number of inputs",
  paper: "Ranjan et al. 2017",
  params: Type.Object({
    eps: num(0.1, "Change ε of every input.", { min: 1e-6, max: 1, unit: "of 1" }),
    inputs: Type.Array(Type.Integer({ minimum: 2 }), {
      default: [100, 1000, 10_000],
      minItems: 1,
      description: "Numbers of inputs, even ones.",
      uniqueItems: true,
    }),
  }),
  /** The same for every arm. */
  measure: async (_subject, { eps, inputs }): Promise<readonly Line[]> => inputs.map((n) => movedBy(n, eps)),
  present([arm], { eps, inputs }) {
    const lines = (arm?.data ?? []) as readonly Line[];
    const [first] = lines;
    return {
      title: "Growth with the number of inputs",
      charts: [],
      tables: [
        {
          title: `Change of one output under ε ${eps} on every input`,
          columns: [
            { name: "inputs", format: "count" },
            { name: "plain layer", format: "number" },
            { name: "compact layer", format: "number" },
            { name: "inputs, times the first row", format: "number" },
            { name: "plain, times the first row", format: "number" },
            { name: "compact, times the first row", format: "number" },
          ],
          rows: lines.map((line) => [
            line.inputs,
            line.plain,
            line.compact,
            line.inputs / (first?.inputs ?? 1),
            line.plain / (first?.plain ?? 1),
            line.compact / (first?.compact ?? 1),
          ]),
        },
      ],
      notes: [
        "A plain product moves by ε·n; divided by the norm of its inputs it moves by about ε·√n. This holds for one layer with fixed weights: what a trained network does is measured by attacks.",
        ...(inputs.some((n) => n % 2 !== 0) ? ["With an odd number of inputs there is one weight of 1 more than of −1."] : []),
      ],
    };
  },
});

function movedBy(inputs: number, eps: number): Line {
  const weights = Float32Array.from({ length: inputs }, (_, i) => (i % 2 === 0 ? 1 : -1));
  const moved = (layer: tfl.layers.Layer): number => {
    layer.build([null, inputs]);
    const kernel = tf.tensor2d(weights, [inputs, 1]);
    const [, ...others] = layer.getWeights();
    layer.setWeights([kernel, ...others]);
    const change = tf.tidy(() => {
      const x = tf.ones([1, inputs]);
      const [before, after] = [x, tf.add(x, tf.mul(tf.reshape(kernel, [1, inputs]), eps))].map((v) => layer.call(v, {}) as tf.Tensor);
      return Math.abs((after?.dataSync()[0] ?? 0) - (before?.dataSync()[0] ?? 0));
    });
    kernel.dispose();
    for (const weight of layer.weights) weight.dispose();
    return change;
  };
  return {
    inputs,
    plain: moved(tfl.layers.dense({ units: 1, useBias: false })),
    compact: moved(new CompactDense({ units: 1, useBias: false, alpha: 1, delta: 0 })),
  };
}
