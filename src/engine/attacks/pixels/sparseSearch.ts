import type { Random } from "../../random.ts";
import { type Goal, isReached, marginOf } from "./aim.ts";
import type { Found } from "./score.ts";
import type { Move, SparseState } from "./sparseMoves.ts";

/** A query that may be asked: its number, and the image that it shows. */
export interface Query {
  readonly number: number;
  readonly move: Move;
}

/**
 * Random search on one image: a move that lowers the margin is kept. The moves of the next queries are drawn from the state as it is, each
 * from a stream of its own, so that several can be scored in one pass: those behind a move that is kept are dropped and drawn again.
 */
export class SparseSearch implements Found {
  readonly goal: Goal;
  image: Float32Array;
  logits: ArrayLike<number>;
  done: boolean;
  /** Candidates that have been scored, dropped ones aside. */
  queries = 0;
  #margin = Number.POSITIVE_INFINITY;
  readonly #state: SparseState;
  readonly #budget: number;
  readonly #rng: Random;

  /** @param clean logits of the image itself; one that has reached its goal is done */
  constructor(image: Float32Array, clean: Float32Array, o: { goal: Goal; state: SparseState; budget: number }, rng: Random) {
    this.image = image;
    this.logits = clean;
    this.goal = o.goal;
    this.done = isReached(clean, o.goal);
    this.#state = o.state;
    this.#budget = o.budget;
    this.#rng = rng;
  }

  /** Up to `count` queries that come next. The first of all is the random start. */
  next(count: number): Query[] {
    const number = Math.min(count, this.#budget - this.queries);
    return Array.from({ length: this.queries === 0 ? 1 : number }, (_, i) => {
      const query = this.queries + i;
      return { number: query, move: query === 0 ? this.#start() : this.#state.propose(query, this.#rng.stream(`query/${query}`)) };
    });
  }

  streamOf({ number }: Query): Random {
    return this.#rng.stream(`candidate/${number}`);
  }

  /** Takes the logits of the next query [k]. True where its move was kept: then the queries behind it are no longer the next ones. */
  accept({ move }: Query, logits: Float32Array): boolean {
    this.queries++;
    const margin = marginOf(logits, this.goal);
    const isKept = margin < this.#margin;
    if (isKept) {
      move.commit();
      this.#margin = margin;
      this.image = new Float32Array(this.image.length);
      this.#state.draw(this.image);
      this.logits = Float32Array.from(logits);
    }
    this.done = (isKept && isReached(logits, this.goal)) || this.queries >= this.#budget;
    return isKept;
  }

  #start(): Move {
    return { draw: (image) => this.#state.draw(image), commit: () => {} };
  }
}
