import { Type } from "@sinclair/typebox";
import { defineMeasure } from "../define/index.ts";
import { entropyBits } from "./histogram.ts";

/**
 * Shannon entropy of the 256-bin histogram, in bits. The paper's Table 1 prints Σ b·log(N/b), which is log2 N larger and orders
 * equal-sized slices in the same way.
 */
export const entropy = defineMeasure({
  id: "entropy",
  title: "Entropy",
  paper: "Ghebrechristos & Alaghband 2024, Table 1",
  kind: "standalone",
  params: Type.Object({}),
  measure: (a) => entropyBits(a),
});
