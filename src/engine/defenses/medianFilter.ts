import { Type } from "@sinclair/typebox";
import { defineInferenceDefense, int } from "../define/index.ts";
import { mirroredBeyond, mirroredPlaces } from "../filters/border.ts";
import { type Images, tf } from "../tf.ts";

/**
 * The median of the k×k window around each value, every channel by itself. As in SciPy, borders repeat the edge (d c b a | a b c d), and
 * an even window reaches one further up and left and takes the upper of its two middle values.
 */
export const medianFilter = defineInferenceDefense({
  id: "medianFilter",
  title: "Median filter",
  paper: "Xu et al. 2018",
  params: Type.Object({ window: int(3, "Side of the window.", { min: 1, max: 9, unit: "pixels" }) }),
  label: ({ window }) => `Median filter ${window}×${window}`,
  cheap: {},
  backward: () => "bpda",
  neighbourhood: ({ window }) => ({ side: window, beyond: mirroredBeyond }),
  transform: (x, { window }) => tf.tidy(() => (window === 3 ? medianOfNine(x) : upperMedian(neighbours(x, window), window * window))),
});

/** Each pixel and its neighbours at −1 and +1 along an axis, borders mirrored. */
function besides(x: Images, axis: 1 | 2): [Images, Images, Images] {
  const at = (shift: number): Images => tf.gather(x, mirroredPlaces(x.shape[axis], shift), axis);
  return [at(-1), x, at(1)];
}

type Three = readonly [Images, Images, Images];
const least = ([a, b, c]: Three): Images => tf.minimum(tf.minimum(a, b), c);
const largest = ([a, b, c]: Three): Images => tf.maximum(tf.maximum(a, b), c);
const middle = ([a, b, c]: Three): Images => tf.maximum(tf.minimum(a, b), tf.minimum(tf.maximum(a, b), c));

/** The least, the middle and the largest of three. */
function sorted([a, b, c]: Three): Three {
  const [low, high] = [tf.minimum(a, b), tf.maximum(a, b)] as const;
  const other = tf.minimum(high, c);
  return [tf.minimum(low, other), tf.maximum(low, other), tf.maximum(high, c)] as Three;
}

/**
 * The median of 3×3 in a third of the comparisons: rows of three are sorted once for all windows that they are in, and the median of nine
 * is the median of the largest least, the middle middle and the least largest of the three rows. Whole rows move faster than pixels, so
 * the six shifts of sorted values are along the columns.
 */
function medianOfNine(x: Images): Images {
  const [low, mid, high] = sorted(besides(x, 2));
  return middle([largest(besides(low, 1)), middle(besides(mid, 1)), least(besides(high, 1))]);
}

/** The images moved to each place of the window in turn, borders reflected: k² times [b,H,W,C]. */
function* neighbours(x: Images, window: number): Generator<Images, undefined> {
  const [, height, width] = x.shape;
  for (let i = 0; i < window; i++) {
    const rows = tf.gather(x, mirroredPlaces(height, i - Math.floor(window / 2)), 1);
    for (let j = 0; j < window; j++) yield tf.gather(rows, mirroredPlaces(width, j - Math.floor(window / 2)), 2);
    rows.dispose();
  }
}

/**
 * Element ⌊n/2⌋ of n sorted values at every pixel. Of any ⌊n/2⌋ + 2 of them neither the smallest nor the largest is the median of an odd n:
 * both are dropped and the next value joins, until one is left. An even n counts as n + 1 values, one of them infinite.
 */
function upperMedian(values: Iterator<Images, undefined>, n: number): Images {
  const isOdd = n % 2 === 1;
  const next = (): Images[] => {
    const { value } = values.next();
    return value ? [value] : [];
  };
  let kept = Array.from({ length: Math.min(n, Math.floor(n / 2) + (isOdd ? 2 : 1)) }, next).flat();
  if (!isOdd) kept = [...withoutExtreme(kept, "smallest"), ...next()]; // the largest that goes with it is the infinite one
  while (kept.length > 1) kept = [...withoutExtreme(withoutExtreme(kept, "smallest"), "largest"), ...next()];
  return kept[0] as Images;
}

/** All but the smallest or largest value of each pixel. Frees what it is given. */
function withoutExtreme(values: readonly Images[], which: "smallest" | "largest"): Images[] {
  let [extreme, ...others] = values as [Images, ...Images[]];
  others = others.map((other) => {
    const [low, high] = [tf.minimum(extreme, other), tf.maximum(extreme, other)] as [Images, Images];
    tf.dispose([extreme, other]);
    extreme = which === "smallest" ? low : high;
    return which === "smallest" ? high : low;
  });
  extreme.dispose();
  return others;
}
