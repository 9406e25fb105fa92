import { concat } from "./concat.ts";
import { denseRules } from "./dense.ts";
import { elementwiseRules } from "./elementwise.ts";
import { imageRules } from "./images.ts";
import type { Lower } from "./lowering.ts";
import { pad } from "./pad.ts";
import { partRules } from "./parts.ts";
import { quantisationRules } from "./quantisation.ts";

export { Lowering } from "./lowering.ts";

/** Operator → rule that adds the layers for it. */
export const lowerRules: ReadonlyMap<string, Lower> = new Map([
  ...imageRules,
  ...denseRules,
  ...elementwiseRules,
  ...partRules,
  ...quantisationRules,
  ["Concat", concat] as const,
  ["Pad", pad] as const,
]);
