import { isDistance } from "../catalog.ts";
import type { FileRule } from "./rule.ts";
import { at, normOf, numberOf, spanOf } from "./tree.ts";

/** Largest distance between two pixels of images in [0,1]. */
const whole = 1;
const largestByte = 255;

/** Four significant digits are finer than an 8-bit image can tell. */
const rounded = (value: number): number => Number(value.toPrecision(4));

/** A distance in units of 0…255 where images are in [0,1]; an L2 distance may be that large. */
export const rb001: FileRule = {
  id: "RB001",
  scope: "choice",
  check: ({ sites }) =>
    sites.flatMap((site) =>
      Object.entries(site.entry?.params.properties ?? {}).flatMap(([key, schema]) => {
        const written = at(site.node, key);
        const value = numberOf(written);
        if (!written || value === undefined || !isDistance(schema) || normOf(site) === "l2") return [];
        if (value <= whole || value > largestByte) return [];
        const span = spanOf(written);
        const fraction = `${value}/${largestByte}`;
        const title = `Convert to "${fraction}", which is ${rounded(value / largestByte)}`;
        const fix = { title, span, text: JSON.stringify(fraction), isPreferred: true };
        return [{ message: `${key} is ${value}, which is in units of 0…255; images are in [0,1].`, span, fixes: [fix] }];
      }),
    ),
};
