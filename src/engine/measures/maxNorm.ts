import { Type } from "@sinclair/typebox";
import { choice, defineMeasure } from "../define/index.ts";
import { requireReference } from "./reference.ts";

/**
 * Table 1 prints max(x1, x2): the largest value in either slice, so every slice darker than the reference ties. `mode: "chebyshev"`
 * is the largest difference instead. Both in bytes, [0, 255].
 */
export const maxNorm = defineMeasure({
  id: "maxNorm",
  title: "Max norm",
  paper: "Ghebrechristos & Alaghband 2024, Table 1",
  kind: "distance",
  params: Type.Object({
    mode: choice(["paper", "chebyshev"], "paper", "Largest value in either slice, or largest difference between the two."),
  }),
  measure: (a, b, { mode }) => {
    const reference = requireReference("maxNorm", a, b);
    let largest = 0;
    for (let i = 0; i < a.length; i++) {
      const x = a[i] as number;
      const y = reference[i] as number;
      const value = mode === "chebyshev" ? Math.abs(x - y) : Math.max(x, y);
      if (value > largest) largest = value;
    }
    return largest;
  },
});
