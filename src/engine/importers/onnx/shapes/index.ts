import { constantShapes } from "./constants.ts";
import type { ShapeRule } from "./context.ts";
import { elementwiseShapes } from "./elementwise.ts";
import { imageShapes } from "./images.ts";
import { partShapes } from "./parts.ts";
import { reshapeShapes } from "./reshape.ts";

/** Operator → shapes of its outputs. Large constants are not computed here. */
export const shapeRules: ReadonlyMap<string, ShapeRule> = new Map([
  ...elementwiseShapes,
  ...reshapeShapes,
  ...partShapes,
  ...constantShapes,
  ...imageShapes,
]);
