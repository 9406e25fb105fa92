import type { Static } from "@sinclair/typebox";
import { BulwarkError } from "../../../shared/errors.ts";
import type { ModelFacts } from "../../define/index.ts";
import type { Random } from "../../random.ts";
import type { params } from "./params.ts";

/** Upper left pixel of the noise. */
export interface Place {
  readonly top: number;
  readonly left: number;
}
type PlaceRule = Pick<Static<typeof params>, "size" | "place" | "grid" | "top" | "left">;
type Shape = ModelFacts["inputShape"];

/** Side of the noise in pixels. */
export const sideOf = ({ size }: Pick<PlaceRule, "size">, [height]: Shape): number => Math.round(height * size);

/** Where the noise of one image lies: drawn, or as the parameters say. */
export function placeOf(rule: PlaceRule, shape: Shape, rng: Random): Place {
  const side = sideOf(rule, shape);
  const [bottom, right] = [shape[0] - side, shape[1] - side];
  const upTo = (most: number): number => rng.integer(most + 1);
  switch (rule.place) {
    case "at":
      return { top: rule.top, left: rule.left };
    case "anywhere":
      return { top: upTo(bottom), left: upTo(right) };
    case "slice": {
      const inside = (extent: number): number => rule.grid * rng.integer(Math.floor(extent / rule.grid)) + upTo(rule.grid - side);
      return { top: inside(shape[0]), left: inside(shape[1]) };
    }
    default:
      return atBorder(rule.place === "touching" ? 0 : 0.1, [bottom, right], shape, rng);
  }
}

/** One of the four borders, a uniform place along it, and a uniform distance of at most `share` of the image from it. */
function atBorder(share: number, [bottom, right]: readonly [number, number], [height, width]: Shape, rng: Random): Place {
  const border = rng.integer(4);
  const isAcross = border < 2; // top or bottom
  const [extent, free, along] = isAcross ? [height, bottom, right] : [width, right, bottom];
  const distance = rng.integer(Math.min(Math.floor(share * extent), free) + 1);
  const offset = rng.integer(along + 1);
  const away = border % 2 === 0 ? distance : free - distance;
  return isAcross ? { top: away, left: offset } : { top: offset, left: away };
}

/** @throws PARAMETER_INVALID where the noise is empty or does not fit */
export function checkPlace(rule: PlaceRule, { inputShape }: Pick<ModelFacts, "inputShape">): void {
  const [height, width] = inputShape;
  const side = sideOf(rule, inputShape);
  const refuse = (message: string, fix: string) => new BulwarkError("PARAMETER_INVALID", message, fix);
  if (side < 1)
    throw refuse(
      `A size of ${rule.size} is less than half a pixel of an image ${height} pixels high: there would be no noise.`,
      `Use a size of at least 1/${height}.`,
    );
  if (side > width)
    throw refuse(
      `Noise of ${side}×${side} pixels is larger than an image of ${height}×${width}.`,
      `Use a size of at most ${width}/${height}.`,
    );
  if (rule.place === "at" && (rule.top + side > height || rule.left + side > width))
    throw refuse(
      `Noise of ${side}×${side} pixels at top ${rule.top}, left ${rule.left} does not lie inside an image of ${height}×${width}.`,
      `Use a top of at most ${height - side} and a left of at most ${width - side}.`,
    );
  if (rule.place !== "slice") return;
  if (rule.grid < side)
    throw refuse(
      `Noise of ${side}×${side} pixels does not fit into one slice of ${rule.grid}×${rule.grid}.`,
      `Use a grid of at least ${side}, or a size of at most ${rule.grid}/${height}.`,
    );
  if (rule.grid > Math.min(height, width))
    throw refuse(
      `An image of ${height}×${width} has no slice of ${rule.grid}×${rule.grid}.`,
      `Use a grid of at most ${Math.min(height, width)}.`,
    );
}
