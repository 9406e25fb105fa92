import { Type } from "@sinclair/typebox";
import { choice, defineInferenceDefense, int, num } from "../define/index.ts";
import { bordered, mirroredBeyond, windowAt } from "../filters/border.ts";
import { type Images, tf } from "../tf.ts";

interface Settings {
  readonly window: number;
  readonly sigmaColor: number;
  readonly sigmaSpace: number;
  readonly border: "zero" | "reflect";
}

/**
 * The mean of the k×k window around each pixel, weighed by exp(−d²/2σ_s²)·exp(−‖Δ‖²/2σ_c²): d is the distance in pixels and ‖Δ‖ the Euclidean
 * distance of the colours (Tomasi & Manduchi 1998). Beyond the image there is black, as in scikit-image, or the mirrored image.
 */
function smoothed(x: Images, { window, sigmaColor, sigmaSpace, border }: Settings): Images {
  const radius = (window - 1) / 2;
  const wide = bordered(x, radius, border);
  // 2σ_c² of each image; an image of one colour has none, and any number does.
  const variance = tf.maximum(tf.square(tf.sub(x, tf.mean(x, [1, 2, 3], true))).mean([1, 2, 3], true), 1e-12);
  const range: tf.Tensor = sigmaColor > 0 ? tf.scalar(2 * sigmaColor ** 2) : tf.mul(variance, 2);
  let [total, weights]: [tf.Tensor, tf.Tensor] = [tf.zerosLike(x), tf.zeros([...x.shape.slice(0, 3), 1])];
  for (let i = 0; i < window * window; i++) {
    const [row, column] = [Math.floor(i / window), i % window];
    [total, weights] = tf.tidy(() => {
      const near = windowAt(wide, row, column, x.shape);
      const difference = tf.sum(tf.square(tf.sub(near, x)), 3, true);
      const space = Math.exp(-((row - radius) ** 2 + (column - radius) ** 2) / (2 * sigmaSpace ** 2));
      const weight = tf.mul(tf.exp(tf.neg(tf.div(difference, range))), space);
      return [tf.add(total, tf.mul(near, weight)), tf.add(weights, weight)];
    });
  }
  return tf.div(total, weights);
}

/** Smooths within surfaces and keeps edges. */
export const bilateralFilter = defineInferenceDefense({
  id: "bilateralFilter",
  title: "Bilateral filter",
  paper: "Naseer et al. 2019",
  params: Type.Object({
    window: int(5, "Side of the window, odd.", { min: 1, max: 15, odd: true, unit: "pixels" }),
    sigmaColor: num(0, "Colours this far apart count as different; 0 takes the standard deviation of the image's values.", {
      min: 0,
      max: 10,
      unit: "of 1",
      standIn: { words: "standard deviation of the image", first: 0.1 },
    }),
    sigmaSpace: num(1, "Standard deviation of the Gaussian over the distance.", { min: 0.01, max: 100, unit: "pixels", advanced: true }),
    border: choice(["zero", "reflect"], "zero", "What lies beyond the image: black, or the image mirrored."),
  }),
  label: ({ window, sigmaColor }) => `Bilateral filter ${window}×${window}${sigmaColor > 0 ? `, σ of colour ${sigmaColor}` : ""}`,
  cheap: { window: 3 },
  backward: () => "bpda",
  neighbourhood: ({ window, border }) => ({
    side: window,
    beyond: border === "zero" ? "beyond its edge there is black, which counts in every mean" : mirroredBeyond,
  }),
  transform: (x, settings) => tf.tidy(() => smoothed(x, settings)),
});
