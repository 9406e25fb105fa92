import type { ParameterRole } from "../../shared/catalog.ts";
import { at, normOf, numberOf, spanOf } from "../tree.ts";
import type { FileRule } from "./rule.ts";

/** Parameters that are distances between pixel values. */
const distances: readonly (ParameterRole | undefined)[] = ["radius", "step", "distance"];
/** Largest distance between two pixels of images in [0,1]. */
const whole = 1;
const largestByte = 255;

/** 8 becomes 8/255: four significant digits are finer than an 8-bit image can tell. */
export const fromBytes = (value: number): number => Number((value / largestByte).toPrecision(4));

/** A distance in units of 0…255 where images are in [0,1]; an L2 distance may be that large. */
export const rb001: FileRule = {
  id: "RB001",
  check: ({ sites }) =>
    sites.flatMap((site) =>
      Object.entries(site.entry?.params.properties ?? {}).flatMap(([key, { role }]) => {
        const written = at(site.node, key);
        const value = numberOf(written);
        if (!written || value === undefined || !distances.includes(role) || normOf(site) === "l2") return [];
        if (value <= whole || value > largestByte) return [];
        const converted = fromBytes(value);
        const span = spanOf(written);
        const fix = { title: `Convert to ${value}/255 = ${converted}`, span, text: String(converted), isPreferred: true };
        return [{ message: `${key} is ${value}, which is in units of 0…255; images are in [0,1].`, span, fixes: [fix] }];
      }),
    ),
};
