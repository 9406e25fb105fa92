import type { Random } from "../../random.ts";
import { type Goal, isReached } from "./aim.ts";
import { children, genesOf, initialPopulation, latinHypercube, paint, type SearchSpace, type Strategy } from "./evolution.ts";

/** A goal, and when the search for it may stop. */
export interface Aim extends Goal {
  readonly stopMode: "misclassify" | "paper5pct";
}

/**
 * To be minimised: p_true, or 1 − p_target, as odds p/(1 − p). The order is the same, but a confident network's p_true is 1 in float32 for
 * most candidates, where 1 − p, added up from the other classes, still tells them apart.
 */
export function oddsOf(probabilities: ArrayLike<number>, aim: Aim): number {
  const own = aim.target ?? aim.label;
  let others = 0;
  for (let k = 0; k < probabilities.length; k++) if (k !== own) others += probabilities[k] as number;
  const odds = (probabilities[own] as number) / others;
  return aim.target === undefined ? odds : 1 / odds;
}

/**
 * The search may stop. `misclassify`: its aim is reached. `paper5pct`: moreover p_true < 5 % (which among more than twenty classes may
 * still be the largest), or p_target > 90 %.
 */
export function isDone(probabilities: ArrayLike<number>, aim: Aim): boolean {
  if (!isReached(probabilities, aim)) return false;
  if (aim.stopMode === "misclassify") return true;
  return aim.target === undefined ? (probabilities[aim.label] as number) < 0.05 : (probabilities[aim.target] as number) > 0.9;
}

/** Differential evolution on one image: candidates out, class probabilities in, generation by generation. */
export interface Search {
  readonly image: Float32Array;
  readonly aim: Aim;
  readonly done: boolean;
  /** Image with the best candidate painted in, and its probabilities; the clean image before the first generation. */
  readonly bestImage: Float32Array;
  readonly bestProbabilities: Float32Array;
  /** Odds of what is to be minimised, of the best candidate; ∞ before the first generation. */
  readonly bestOdds: number;
  /** Candidates [size × genes] to be scored next. */
  readonly pending: Float64Array;
  /** Random numbers for a model that draws some: of each candidate to be scored its own, whatever else is scored with it. */
  streamOf(candidate: number): Random;
  /** Takes the scores of all pending candidates [size × classes] and breeds the next generation. */
  accept(probabilities: Float32Array): void;
}

export interface SearchOptions {
  readonly space: SearchSpace;
  readonly aim: Aim;
  readonly strategy: Strategy;
  readonly popSize: number;
  /** Candidates that may be scored at most; they are enough for one population. */
  readonly budget: number;
}

/** @param clean class probabilities of the image itself; an image that is already there, whatever `stopMode` wants, is done at once. */
export function startSearch(image: Float32Array, clean: Float32Array, o: SearchOptions, rng: Random): Search {
  const genes = genesOf(o.space);
  const seed = o.strategy === "rand1" ? initialPopulation : latinHypercube;
  let population: Float64Array | undefined;
  let odds = new Float64Array(0);
  let pending = seed(o.space, o.popSize, rng);
  let queries = 0;
  let best = { image, probabilities: clean, odds: Number.POSITIVE_INFINITY, index: 0 };
  let done = isReached(clean, o.aim);

  const replaceParents = (probabilities: Float32Array): void => {
    const classes = clean.length;
    for (let i = 0; i < o.popSize; i++) {
      const row = probabilities.subarray(i * classes, (i + 1) * classes);
      const value = oddsOf(row, o.aim);
      if (population) {
        if (value > (odds[i] as number)) continue; // the child takes the parent's place when it is no worse
        population.set(pending.subarray(i * genes, (i + 1) * genes), i * genes);
      }
      odds[i] = value;
      if (value < best.odds) {
        const painted = Float32Array.from(image);
        paint(o.space, painted, pending, i * genes, (i + 1) * genes);
        best = { image: painted, probabilities: Float32Array.from(row), odds: value, index: i };
      }
    }
  };
  return {
    image,
    aim: o.aim,
    get done() {
      return done;
    },
    get bestImage() {
      return best.image;
    },
    get bestProbabilities() {
      return best.probabilities;
    },
    get bestOdds() {
      return best.odds;
    },
    get pending() {
      return pending;
    },
    streamOf: (candidate) => rng.stream(`candidate/${queries + candidate}`),
    accept(probabilities) {
      queries += o.popSize;
      if (odds.length === 0) odds = new Float64Array(o.popSize);
      replaceParents(probabilities);
      population ??= pending;
      done = isDone(best.probabilities, o.aim) || queries + o.popSize > o.budget;
      if (!done) pending = children(o.space, population, best.index, o.strategy, rng);
    },
  };
}
