import { choice, int, num } from "../define/index.ts";
import type { AreaMode } from "./area.ts";

/** Parameters of every explanation whose map is cut into an area. */
export const areaParameters = {
  threshold: choice(
    ["mean", "fixed", "equalSize"],
    "mean",
    "What belongs to the attention area: values of at least the mean, of at least kappa, or the largest ones.",
  ),
  kappa: num(0.5, "Threshold of the area when it is fixed.", { min: 0, max: 1, advanced: true }),
  areaPixels: int(64, "Pixels of the area when its size is fixed.", { min: 1, unit: "pixels", advanced: true }),
};

interface AreaParameters {
  readonly threshold: "mean" | "fixed" | "equalSize";
  readonly kappa: number;
  readonly areaPixels: number;
}
/** The area that the parameters ask for. */
export function areaModeOf({ threshold, kappa, areaPixels }: AreaParameters): AreaMode {
  if (threshold === "fixed") return { kind: "fixed", threshold: kappa };
  return threshold === "equalSize" ? { kind: "equalSize", count: areaPixels } : { kind: "mean" };
}
