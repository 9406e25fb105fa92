import { Type } from "@sinclair/typebox";
import { defineInferenceDefense, int, num } from "../define/index.ts";
import { mirroredBeyond } from "../filters/border.ts";
import { gaussianBlur, sigmaOf } from "../filters/gaussian.ts";

/** The mean of the k×k window around each value, weighed by a Gaussian, every channel by itself; borders repeat the edge (d c b a | a b c d). */
export const gaussianFilter = defineInferenceDefense({
  id: "gaussianFilter",
  title: "Gaussian filter",
  paper: "Naseer et al. 2019",
  params: Type.Object({
    window: int(5, "Side of the window, odd.", { min: 1, max: 31, odd: true, unit: "pixels" }),
    sigma: num(0, "Standard deviation of the Gaussian; 0 takes 0.3·((window − 1)/2 − 1) + 0.8, as OpenCV does.", {
      min: 0,
      max: 100,
      unit: "pixels",
      advanced: true,
      standIn: { words: "from the window", first: 1 },
    }),
  }),
  label: ({ window, sigma }) => `Gaussian filter ${window}×${window}${sigma > 0 ? `, σ ${sigma}` : ""}`,
  cheap: { window: 3 },
  backward: () => "exact",
  neighbourhood: ({ window }) => ({ side: window, beyond: mirroredBeyond }),
  transform: (x, { window, sigma }) => gaussianBlur(x, window, sigma || sigmaOf(window)),
});
