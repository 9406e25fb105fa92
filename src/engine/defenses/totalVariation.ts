import { Type } from "@sinclair/typebox";
import { choice, defineInferenceDefense, int, num } from "../define/index.ts";
import { filtered } from "../filters/host.ts";
import { withoutDropped } from "../filters/pixelDropout.ts";
import { totalVariation as denoise } from "../filters/totalVariation.ts";

/**
 * The image of least total variation near the given one: as scikit-image's `denoise_tv_bregman` denoises it, or as Guo et al. make it of the
 * values that a random dropout leaves.
 */
export const totalVariation = defineInferenceDefense({
  id: "totalVariation",
  title: "Total-variation minimisation",
  paper: "Guo et al. 2018",
  params: Type.Object({
    variant: choice(
      ["bregman", "guo"],
      "bregman",
      "Denoising of the whole image by split Bregman iteration, or Guo et al.'s of what a random dropout of pixels leaves.",
    ),
    weight: num(10, "With bregman: weight of the distance from the image: the larger, the less is smoothed.", {
      min: 0.01,
      max: 10_000,
      usual: [1, 50],
    }),
    lambda: num(0.5, "With guo: weight λ of the variation: the larger, the more is smoothed.", { min: 0, max: 1000, usual: [0, 1] }),
    dropout: num(0.3, "With guo: probability that a value is dropped.", { min: 0, max: 0.99 }),
    iterations: int(100, "With bregman: most sweeps over the image.", { min: 1, max: 10_000, advanced: true }),
    tolerance: num(0.001, "With bregman: sweeps end once their change is at most this, as a root mean square.", {
      min: 0,
      max: 1,
      unit: "of 1",
      advanced: true,
    }),
  }),
  label: ({ variant, weight, lambda, dropout }) =>
    variant === "guo" ? `Total variation of Guo et al., λ ${lambda}, dropout ${dropout}` : `Total variation, weight ${weight}`,
  cheap: { iterations: 5 },
  randomised: ({ variant, dropout }) => variant === "guo" && dropout > 0,
  backward: () => "bpda",
  transform(x, { variant, lambda, dropout, ...bregman }, see) {
    if (variant === "bregman") return filtered(x, denoise(bregman));
    const keptOf = (i: number, size: number): Uint8Array =>
      dropout > 0 ? Uint8Array.from(see.random(i).uniforms(size), (value) => Number(value >= dropout)) : new Uint8Array(size).fill(1);
    return filtered(x, (pixels, shape, i) => withoutDropped({ lambda, kept: keptOf(i, pixels.length) })(pixels, shape, i));
  },
});
