import { type Static, Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { guidedSaliency } from "../attention/guidedBackprop.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { bool, choice, type DefenseView, defineInferenceDefense, file, num } from "../define/index.ts";
import { givenRegion, rectanglePattern, regionFault } from "../filters/givenRegion.ts";
import { filtered } from "../filters/host.ts";
import { inpainted } from "../filters/inpainting.ts";
import { areaOf } from "../filters/morphology.ts";
import { type SalientRegion, salientRegion } from "../filters/salientRegion.ts";
import { dependentRead, type Images, type Mask, tf } from "../tf.ts";

const params = Type.Object(
  {
    mode: choice(
      ["blind", "nonBlind"],
      "blind",
      "Blind finds the region from the saliency of the predicted class; non blind takes it from the mask.",
    ),
    mask: file("The region with mode non blind: “top,left,height,width” in pixels, or a PNG that is bright in it.", {
      instead: rectanglePattern,
    }),
    inpaint: choice(["telea", "harmonic"], "telea", "How the region is filled: Telea's fast marching, or smoothly by Laplace's equation."),
    percentile: num(97, "With mode blind: pixels of at least this percentile of the saliency begin the region.", {
      min: 0,
      max: 100,
      advanced: true,
    }),
    keepAll: bool(false, "With mode blind: fills every part of the region, in place of the largest alone."),
    maxArea: num(0.2, "With mode blind: a region larger than this share of the image is left alone.", {
      min: 0,
      max: 1,
      unit: "of 1",
      advanced: true,
    }),
  },
  { refuse: ({ mode, mask }: { mode: string; mask: string }) => (mode === "nonBlind" ? regionFault(mask) : null) },
);

/**
 * Removes a patch as a watermark is removed, by inpainting (Hayes 2018). Blind, the region is where guided backpropagation of the predicted
 * class is largest, one image at a time, so that the memory of a gradient does not grow with the batch; an image without such a region, or
 * with too large a one, stays as it is. An attacker who knows the defence knows where the patch is: its passes inpaint there.
 */
export const digitalWatermark = defineInferenceDefense({
  id: "digitalWatermark",
  title: "Digital watermarking",
  paper: "Hayes 2018",
  params,
  label: ({ mode, inpaint }) =>
    `Digital watermarking, ${mode === "blind" ? "blind" : "region given"}${inpaint === "telea" ? "" : ", harmonic"}`,
  cheap: { mask: "1,2,3,4" },
  backward: () => "bpda",
  usesModel: ({ mode }) => mode === "blind",
  neighbourhood: ({ mode }) =>
    mode === "blind" ? { side: 5, beyond: "closing and opening of the region see nothing beyond the edge" } : null,
  remark: ({ mode, mask }, [height, width]) =>
    mode === "nonBlind" && isWhole(mask, height, width)
      ? `the mask covers the whole image of ${height}×${width}, so there is nothing to fill it from; images stay as they are`
      : null,
  transform: (x, settings, see) => {
    const found = watermarks(x, settings, see);
    return filtered(x, (pixels, shape, i) => inpainted(found(i).region, settings.inpaint)(pixels, shape, i));
  },
  maps: (x, settings, see) => {
    const [b, height, width] = x.shape;
    const watermark = watermarks(x, settings, see);
    const found = Array.from({ length: b }, (_, i) => watermark(i));
    const map = (of: (one: Watermark) => ArrayLike<number> | undefined): tf.Tensor3D =>
      tf.stack(
        found.map((one) => tf.tensor2d(Float32Array.from(of(one) ?? new Float32Array(height * width)), [height, width])),
      ) as tf.Tensor3D;
    const region = map((one) => one.region?.pixels);
    return found.some((one) => one.saliency)
      ? { saliency: map((one) => one.saliency), "inpainted region": region }
      : { "inpainted region": region };
  },
});

/** A mask that cannot be used is not: what is wrong with it is said where it is used. */
function isWhole(mask: string, height: number, width: number): boolean {
  try {
    return areaOf(givenRegion(mask, height, width)) === height * width;
  } catch (error) {
    if (error instanceof BulwarkError) return false;
    throw error;
  }
}

type Watermark = Partial<SalientRegion> & Pick<SalientRegion, "region">;

/** The watermark of image i of a batch. */
function watermarks(x: Images, settings: Static<typeof params>, see: DefenseView): (i: number) => Watermark {
  const [, height, width] = x.shape;
  if (settings.mode === "nonBlind") {
    const region = givenRegion(settings.mask, height, width);
    return () => ({ region });
  }
  if (see.mask) return knownRegions(see.mask);
  return (i) => {
    const image = tf.slice(x, i, 1);
    const found = salientRegion(guidedSaliency(behind(see, i), image), height, width, settings);
    image.dispose();
    return found;
  };
}

function knownRegions(mask: Mask): (i: number) => Watermark {
  const [, height, width] = mask.shape;
  const values = dependentRead(mask);
  const size = height * width;
  return (i) => ({
    region: { height, width, pixels: Uint8Array.from(values.subarray(i * size, (i + 1) * size), (value) => Number(value > 0.5)) },
  });
}

/** The model behind, drawing for image i of the batch whatever it draws. */
const behind = ({ model, random }: DefenseView, i: number): Classifier =>
  model.withStreams?.({ random: () => random(i).stream("saliency") }) ?? model;
