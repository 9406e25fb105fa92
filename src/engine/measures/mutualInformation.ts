import { Type } from "@sinclair/typebox";
import { defineMeasure } from "../define.ts";
import { entropyBits, jointEntropyBits, withoutNoise } from "./histogram.ts";
import { requireReference } from "./reference.ts";

/** H(a) + H(b) − H(a,b), in bits: [0, min(H(a),H(b))]. */
export const mutualInformation = defineMeasure({
  id: "mutualInformation",
  title: "Mutual information",
  paper: "Ghebrechristos & Alaghband 2024, Table 1",
  kind: "similarity",
  params: Type.Object({}),
  measure: (a, b) => {
    const reference = requireReference("mutualInformation", a, b);
    const bits = entropyBits(a) + entropyBits(reference) - jointEntropyBits(a, reference);
    return Math.max(0, withoutNoise(bits));
  },
});
