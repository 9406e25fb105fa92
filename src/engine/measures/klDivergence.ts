import { Type } from "@sinclair/typebox";
import { defineMeasure } from "../define.ts";
import { histogram, withoutNoise } from "./histogram.ts";
import { requireReference } from "./reference.ts";

const pseudoCount = 1 / 256;

/**
 * KL(a ‖ reference) of the 256-bin histograms, in bits. A pseudo-count of 1/256 in every bin keeps it finite where the reference
 * lacks a value.
 */
export const klDivergence = defineMeasure({
  id: "klDivergence",
  title: "Kullback–Leibler divergence",
  paper: "Ghebrechristos & Alaghband 2024, Table 1",
  kind: "distance",
  params: Type.Object({}),
  measure: (a, b) => {
    const q = histogram(requireReference("klDivergence", a, b));
    const p = histogram(a);
    let sum = 0;
    for (let i = 0; i < 256; i++) {
      const pi = (p[i] as number) + pseudoCount;
      const qi = (q[i] as number) + pseudoCount;
      if (pi !== qi) sum += pi * Math.log2(pi / qi);
    }
    return withoutNoise(sum / (a.length + 1));
  },
});
