import type { AnalysisSubject } from "../define/analysis.ts";
import { drawsOf, inclusion } from "../sampling/inclusion.ts";
import { unitFacts } from "../sampling/scheme.ts";
import { layersOf, type UnitChoice, unitsOf } from "../sampling/units.ts";
import { minimumVariance } from "../sampling/varianceMinimization.ts";
import { type Images, tf, valuesOf } from "../tf.ts";

/** Whose rows: the adversarial less the clean values, the clean ones, the adversarial ones. */
export const kinds = ["noise", "clean", "adversarial"] as const;
export type MatrixKind = (typeof kinds)[number];

/** The probabilities of one matrix for one number of draws. */
export interface RowProbabilities {
  readonly kind: MatrixKind;
  readonly ratio: number;
  readonly c: number;
  /** Rows that are not 0: others are never drawn. */
  readonly active: number;
  /** Mean share of all rows that a pass keeps; null where every row is 0 and nothing is drawn, as are the next three. */
  readonly kept: number | null;
  /** −Σ p ln p in nats; ln of the active rows where they are equally likely. */
  readonly entropy: number | null;
  /** Largest p over the smallest above 0. */
  readonly spread: number | null;
  /** ½ Σ |p − p of the clean image|: the share of draws that go to other rows. */
  readonly distance: number | null;
  /** At places of the clean image's order, by ascending probability; at most `curvePoints`. */
  readonly curve: readonly (readonly [place: number, p: number])[];
  /** p over the largest, at its place in the picture; a file of the run folder. */
  readonly map: string;
}
export interface MatrixData {
  /** Name of the layer; null for the image itself. */
  readonly layer: string | null;
  readonly rows: number;
  readonly probabilities: readonly RowProbabilities[];
}

interface Draws {
  readonly ratios: readonly number[];
  readonly cMode: "input" | "perUnit";
  readonly units: UnitChoice | "none";
}
interface Pair {
  readonly index: number;
  readonly clean: Float32Array;
  readonly adversarial: Float32Array;
}
/** Values [rows·channels] of both images, and a picture of a number for each row. */
interface Matrix {
  readonly layer: string | null;
  readonly rows: number;
  readonly clean: Float32Array;
  readonly adversarial: Float32Array;
  toPicture(kind: MatrixKind, values: Float32Array): Promise<Float32Array>;
}

/** Probabilities of the image itself and of each unit. @throws MODEL_UNSUPPORTED, MODEL_FORWARD_ONLY where units are asked for and there are none */
export async function matricesOf(subject: AnalysisSubject, pair: Pair, draws: Draws): Promise<MatrixData[]> {
  const [height, width] = subject.model.inputShape;
  const pixels = height * width;
  const image: Matrix = { ...pair, layer: null, rows: pixels, toPicture: async (_, values) => values };
  const found: MatrixData[] = [];
  for (const matrix of [image, ...(await unitMatrices(subject, pair, draws.units))]) {
    const probabilities = rowProbabilities(matrix, ({ ratio }) => drawsOf(ratio * (draws.cMode === "input" ? pixels : matrix.rows)), draws);
    const drawn: RowProbabilities[] = [];
    for (const { p, ...row } of probabilities) {
      const largest = p.reduce((most, one) => Math.max(most, one), 0);
      const picture = await matrix.toPicture(
        row.kind,
        Float32Array.from(p, (one) => (largest > 0 ? one / largest : 0)),
      );
      const name = `probabilities-${pair.index}-${matrix.layer ?? "image"}-${row.kind}-${row.ratio}`;
      drawn.push({ ...row, map: await subject.draw(name, picture, "map") });
    }
    found.push({ layer: matrix.layer, rows: matrix.rows, probabilities: drawn });
  }
  return found;
}

async function unitMatrices({ model }: AnalysisSubject, pair: Pair, choice: Draws["units"]): Promise<Matrix[]> {
  if (choice === "none") return [];
  const [what, instead] = ["samplingProbabilities", '"units": "none", which looks at the image alone'];
  const units = unitsOf(model, choice, what, instead);
  const layers = layersOf(model, what, instead);
  const x: Images = tf.tensor4d([...pair.clean, ...pair.adversarial], [2, ...model.inputShape]);
  const { logits, taken } = layers.run(x, { take: units.map(({ name }) => name) });
  const matrices: Matrix[] = [];
  try {
    for (const { name } of units) {
      const value = taken.get(name) as tf.Tensor;
      const [, ...sides] = value.shape.slice(0, -1);
      const [height = 1, width = 1] = sides.slice(-2);
      const { rows, channels } = unitFacts(value);
      const both = await valuesOf(value);
      const size = rows * channels;
      matrices.push({
        layer: name,
        rows,
        clean: both.slice(0, size),
        adversarial: both.slice(size),
        async toPicture(kind, values) {
          const picture = tf.tidy(() => {
            const seen: Images = tf.tensor4d(kind === "clean" ? pair.clean : pair.adversarial, [1, ...model.inputShape]);
            return layers.toImage(tf.tensor3d(values, [rows / (height * width), height, width]), seen);
          });
          const drawn = await valuesOf(picture);
          picture.dispose();
          return drawn;
        },
      });
    }
    return matrices;
  } finally {
    tf.dispose([x, logits, ...taken.values()]);
  }
}

const curvePoints = 200;

/** The probabilities of all three matrices for every number of draws; `p` [rows] with them. */
export function rowProbabilities(
  { rows, clean, adversarial }: Pick<Matrix, "rows" | "clean" | "adversarial">,
  drawsFor: (o: { readonly ratio: number }) => number,
  { ratios }: Pick<Draws, "ratios">,
): (Omit<RowProbabilities, "map"> & { readonly p: Float64Array })[] {
  const noise = adversarial.map((value, i) => value - (clean[i] as number));
  const alpha = { noise: squaredNorms(noise, rows), clean: squaredNorms(clean, rows), adversarial: squaredNorms(adversarial, rows) };
  // p rises with α whatever c is: one order serves all numbers of draws.
  const order = Array.from({ length: rows }, (_, i) => i).sort((a, b) => (alpha.clean[a] as number) - (alpha.clean[b] as number));
  const places = order.map((_, i) => i).filter((i) => rows <= curvePoints || i % Math.ceil(rows / curvePoints) === 0 || i === rows - 1);
  return ratios.flatMap((ratio) => {
    const c = drawsFor({ ratio });
    const ofClean = minimumVariance(alpha.clean, c);
    return kinds.map((kind) => {
      const p = kind === "clean" ? ofClean : minimumVariance(alpha[kind], c);
      const curve = places.map((i) => [i, p[order[i] as number] as number] as const);
      return { kind, ratio, c, ...figuresOf(p, ofClean, c), curve, p };
    });
  });
}

function figuresOf(
  p: Float64Array,
  clean: Float64Array,
  c: number,
): Pick<RowProbabilities, "active" | "kept" | "entropy" | "spread" | "distance"> {
  const drawn = p.filter((one) => one > 0);
  if (drawn.length === 0) return { active: 0, kept: null, entropy: null, spread: null, distance: null };
  const sum = (of: (one: number, i: number) => number, values: Float64Array = drawn): number =>
    values.reduce((all, one, i) => all + of(one, i), 0);
  const smallest = drawn.reduce((least, one) => Math.min(least, one), 1);
  return {
    active: drawn.length,
    kept: sum((one) => inclusion(one, c)) / p.length,
    entropy: -sum((one) => one * Math.log(one)),
    spread: drawn.reduce((most, one) => Math.max(most, one), 0) / smallest,
    distance: clean.some((one) => one > 0) ? sum((one, i) => Math.abs(one - (clean[i] as number)), p) / 2 : null,
  };
}

/** α [rows] of values [rows·channels]. */
function squaredNorms(values: Float32Array, rows: number): Float64Array {
  const channels = values.length / rows;
  const norms = new Float64Array(rows);
  values.forEach((value, i) => {
    const row = Math.floor(i / channels);
    norms[row] = (norms[row] as number) + value * value;
  });
  return norms;
}
