import { Type } from "@sinclair/typebox";
import { defineInferenceDefense, int, num } from "../define/index.ts";
import { filtered } from "../filters/host.ts";
import { totalVariation as denoise } from "../filters/totalVariation.ts";

/** The image of least total variation near the given one. */
export const totalVariation = defineInferenceDefense({
  id: "totalVariation",
  title: "Total-variation minimisation",
  paper: "Guo et al. 2018",
  params: Type.Object({
    weight: num(10, "Weight of the distance from the image: the larger, the less is smoothed.", { min: 0.01, max: 10_000, usual: [1, 50] }),
    iterations: int(100, "Most sweeps over the image.", { min: 1, max: 10_000, advanced: true }),
    tolerance: num(0.001, "Sweeps end once their change is at most this, as a root mean square.", {
      min: 0,
      max: 1,
      unit: "of 1",
      advanced: true,
    }),
  }),
  label: ({ weight }) => `Total variation, weight ${weight}`,
  cheap: { iterations: 5 },
  backward: () => "bpda",
  transform: (x, settings) => filtered(x, denoise(settings)),
});
