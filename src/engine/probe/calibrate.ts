/** What a candidate's scores say once how sure they are no longer counts. */
export interface Calibrated {
  /** Natural logarithm of the true class's probability, [n], at a temperature that the other half of the images was used to fit. */
  readonly crossed: Float64Array;
  /** The same at the temperature that suits these images best. */
  readonly fitted: Float64Array;
  /** Fitted on all images; scores are divided by it. 1 for a network that is as sure as it is right. */
  readonly temperature: number;
}

/** Scores that are no numbers. */
const lost = -50;
/** Standard deviation of ln T beforehand: a factor of ten either way, so that a few images that are all right do not make T vanish. */
const spread = Math.log(10);
/** ln T is looked for within these limits. */
const [coldest, hottest] = [-8, 12];

/**
 * log p under logits / T, with T fitted once to the images at the other places (odd for even and the reverse), so that no image judges the T
 * that it was fitted with, and once to all. A range that is too wide makes a network surer of the same answers; with a temperature for each
 * candidate it gains nothing by that. Source: temperature scaling, Guo et al. 2017.
 * @param logits [n·k]
 * @param labels [n]
 */
export function calibrate(logits: Float32Array, labels: Int32Array, classes: number): Calibrated {
  const rowOf = (i: number): Float32Array => logits.subarray(i * classes, (i + 1) * classes);
  const places = Array.from(labels, (_, i) => i).filter((i) => rowOf(i).every(Number.isFinite));
  const logPAt = (i: number, temperature: number): number => labelLogP(rowOf(i), labels[i] as number, temperature);
  const temperatureFor = (on: readonly number[]): number => fittedTemperature((t) => on.reduce((sum, i) => sum + logPAt(i, t), 0));
  const temperature = temperatureFor(places);
  const [crossed, fitted] = [new Float64Array(labels.length).fill(lost), new Float64Array(labels.length).fill(lost)];
  for (const parity of [0, 1]) {
    const other = temperatureFor(places.filter((i) => i % 2 !== parity));
    for (const i of places) {
      if (i % 2 === parity) crossed[i] = logPAt(i, other);
      fitted[i] = logPAt(i, temperature);
    }
  }
  return { crossed, fitted, temperature };
}

/** log softmax(z / T) of the label. */
function labelLogP(row: Float32Array, label: number, temperature: number): number {
  const largest = row.reduce((a, b) => Math.max(a, b));
  let sum = 0;
  for (const z of row) sum += Math.exp((z - largest) / temperature);
  return ((row[label] as number) - largest) / temperature - Math.log(sum);
}

/** T of the largest likelihood times the prior on ln T: on a grid of steps of 1, then by golden section around its best. */
function fittedTemperature(logLikelihood: (temperature: number) => number): number {
  const value = (ln: number): number => logLikelihood(Math.exp(ln)) - (ln * ln) / (2 * spread * spread);
  const grid = Array.from({ length: hottest - coldest + 1 }, (_, i) => coldest + i);
  const values = grid.map(value);
  const best = grid[values.indexOf(Math.max(...values))] ?? 0;
  const golden = (Math.sqrt(5) - 1) / 2;
  let [low, high] = [best - 1, best + 1];
  let [left, right] = [high - golden * (high - low), low + golden * (high - low)];
  let [atLeft, atRight] = [value(left), value(right)];
  for (let i = 0; i < 8; i++) {
    if (atLeft >= atRight) {
      [high, right, atRight] = [right, left, atLeft];
      left = high - golden * (high - low);
      atLeft = value(left);
    } else {
      [low, left, atLeft] = [left, right, atRight];
      right = low + golden * (high - low);
      atRight = value(right);
    }
  }
  return Math.exp((low + high) / 2);
}
