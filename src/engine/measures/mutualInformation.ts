import { Type } from "@sinclair/typebox";
import { defineMeasure } from "../define/index.ts";
import { mutualBitsWith, withoutNoise } from "./histogram.ts";
import { requireReference } from "./reference.ts";

const against = (b: Uint8Array): ((a: Uint8Array) => number) => {
  const bits = mutualBitsWith(b);
  return (a) => Math.max(0, withoutNoise(bits(a)));
};

/** H(a) + H(b) − H(a,b), in bits: [0, min(H(a),H(b))]. */
export const mutualInformation = defineMeasure({
  id: "mutualInformation",
  title: "Mutual information",
  paper: "Ghebrechristos & Alaghband 2024, Table 1",
  kind: "similarity",
  params: Type.Object({}),
  measure: (a, b) => against(requireReference("mutualInformation", a, b))(a),
  against,
});
