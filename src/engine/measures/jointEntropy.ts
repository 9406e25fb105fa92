import { Type } from "@sinclair/typebox";
import { choice, defineMeasure } from "../define/index.ts";
import { jointBitsWith, pooledEntropyBits } from "./histogram.ts";
import { requireReference } from "./reference.ts";

const against = (b: Uint8Array, { jeMode }: { jeMode: "joint" | "pooled" }): ((a: Uint8Array) => number) =>
  jeMode === "pooled" ? (a) => pooledEntropyBits(a, b) : jointBitsWith(b);

/**
 * Entropy of co-located pairs of values, in bits. Table 1 prints no joint distribution, and the authors' code takes the entropy of
 * both slices pooled; the latter is `jeMode: "pooled"`.
 */
export const jointEntropy = defineMeasure({
  id: "jointEntropy",
  title: "Joint entropy",
  paper: "Ghebrechristos & Alaghband 2024, Table 1",
  kind: "distance",
  params: Type.Object({
    jeMode: choice(
      ["joint", "pooled"],
      "joint",
      "Histogram of pairs of pixels at the same place, or of both slices pooled as in the authors' code.",
    ),
  }),
  measure: (a, b, params) => against(requireReference("jointEntropy", a, b), params)(a),
  against,
});
