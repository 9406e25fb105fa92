import { Type } from "@sinclair/typebox";
import { bool, choice, defineInferenceDefense, int, num } from "../define/index.ts";
import { gradientMap, keptBlocks, smoothedLocally } from "../filters/localGradients.ts";

/**
 * Local gradient smoothing: darkens what changes fast where much of its neighbourhood does, as localized noise does (Naseer et al. 2019,
 * equations 4 to 6). Blocks where the mean of the image's normalised gradient exceeds the threshold are suppressed; every image by itself.
 */
export const localGradientSmoothing = defineInferenceDefense({
  id: "localGradientSmoothing",
  title: "Local gradient smoothing",
  paper: "Naseer et al. 2019",
  params: Type.Object({
    lambda: num(2.3, "Smoothing factor λ: pixels whose gradient is 1/λ of the largest or more become black.", {
      min: 0,
      max: 100,
      usual: [0, 5],
    }),
    window: int(15, "Side of a block.", { min: 1, max: 1024, unit: "pixels", advanced: true }),
    overlap: int(5, "Pixels that neighbouring blocks share.", {
      min: 0,
      max: 1023,
      below: "window",
      unit: "pixels",
      advanced: true,
    }),
    threshold: num(0.1, "Blocks whose mean gradient exceeds this are suppressed.", { min: 0, max: 1, unit: "of 1", advanced: true }),
    operator: choice(["forward", "sobel"], "forward", "The gradient: differences with the next pixel, or Sobel's."),
    channels: choice(["luminance", "perChannel"], "luminance", "One gradient, of the brightness, or one for each channel."),
    differentiable: bool(
      false,
      "An attack that knows the defence differentiates through it, instead of taking its gradient as the identity.",
    ),
  }),
  label: ({ lambda, operator, channels, differentiable }) =>
    [
      `Local gradient smoothing, λ ${lambda}`,
      ...(operator === "sobel" ? ["Sobel"] : []),
      ...(channels === "perChannel" ? ["per channel"] : []),
      ...(differentiable ? ["differentiable"] : []),
    ].join(", "),
  cheap: { window: 4, overlap: 0 },
  backward: ({ differentiable }) => (differentiable ? "exact" : "bpda"),
  neighbourhood: ({ window }) => ({ side: window, beyond: "a block ends at the edge of the image, so that it is cut to it" }),
  transform: (x, settings) => smoothedLocally(x, settings),
  maps: (x, settings) => {
    const gradient = gradientMap(x, settings);
    return { gradient, "blocks above the threshold": keptBlocks(gradient, settings) };
  },
});
