import type { RunEventBody } from "../../shared/events.ts";
import type { Piece } from "./piece.ts";

const every = 250; // ms between progress events
const leastSeconds = 2; // of work, before a speed is stated
const leastShare = 0.005; // of the run

type Timed = Pick<Piece, "key" | "stage" | "phase" | "arm" | "attack" | "cost">;

/** Time taken for work of some cost. */
interface Measured {
  seconds: number;
  cost: number;
}

/** Turns finished pieces into "so much is done, so long it takes": events of kind `phase` and `progress`. */
export class ProgressMeter {
  readonly #left: Map<string, Timed>;
  readonly #total: number;
  readonly #speeds = new Speeds();
  #finished = 0;
  #current: Piece | null = null;
  #began = 0;
  /** Share of the current piece that was there when it began: epochs of a training that goes on. */
  #given = 0;
  #phase = "";
  #lastSent = Number.NEGATIVE_INFINITY;
  readonly #emit: (event: RunEventBody) => void;
  readonly #clock: () => number;

  constructor(pieces: readonly Timed[], emit: (event: RunEventBody) => void, clock: () => number) {
    this.#left = new Map(pieces.map((piece) => [piece.key, piece]));
    this.#total = Math.max(
      1,
      pieces.reduce((sum, piece) => sum + piece.cost, 0),
    );
    this.#emit = emit;
    this.#clock = clock;
  }

  /** A piece that was done before the run was resumed. @param seconds that it took; null where they are not known or were not all of it */
  skip(piece: Timed, seconds: number | null): void {
    if (seconds !== null) this.#speeds.add(piece, { seconds, cost: piece.cost });
    this.#leave(piece);
  }

  /** The shards of one piece of work are one phase. */
  begin(piece: Piece): void {
    this.#current = piece;
    this.#began = this.#clock();
    this.#given = 0;
    const { phase, arm, attack } = piece;
    const name = workOf(piece);
    if (name !== this.#phase) {
      this.#lastSent = Number.NEGATIVE_INFINITY;
      const named = { ...(arm === undefined ? {} : { arm }), ...(attack === undefined ? {} : { attack }) };
      this.#emit({ kind: "phase", phase, ...named });
    }
    this.#phase = name;
    this.report(0, 1);
  }

  /** `share` of the current piece was done before it began: it says nothing about the speed now. */
  continueFrom(share: number): void {
    this.#given = share;
  }

  /** `done` of `total` of the current piece; sent at most four times a second. */
  report(done: number, total: number): void {
    const piece = this.#current;
    if (!piece || this.#clock() - this.#lastSent < every) return;
    this.#lastSent = this.#clock();
    const share = Math.min(1, done / Math.max(1, total));
    const work = this.#finished + piece.cost * share;
    const { phase, images, of } = piece;
    const shown = images && of !== undefined ? { done: images[0] + share * (images[1] - images[0]), total: of } : { done, total };
    this.#emit({ kind: "progress", phase, ...shown, etaSeconds: this.#eta(piece, share), overall: work / this.#total });
  }

  /** `done` images of the current shard. */
  images(done: number): void {
    const [start, end] = this.#current?.images ?? [0, 1];
    this.report(done, end - start);
  }

  finish(piece: Timed): void {
    this.#speeds.add(piece, this.#measured(piece, 1));
    this.#leave(piece);
    this.#current = null;
  }

  /** Share of the current piece that was done since it began. */
  get share(): number {
    return 1 - this.#given;
  }

  get overall(): number {
    return this.#finished / this.#total;
  }

  #leave(piece: Timed): void {
    this.#finished += piece.cost;
    this.#left.delete(piece.key);
  }

  #measured(piece: Timed, share: number): Measured {
    return { seconds: (this.#clock() - this.#began) / 1000, cost: piece.cost * Math.max(0, share - this.#given) };
  }

  /** Each piece that is left takes its cost at the speed of the most similar work that was measured. */
  #eta(piece: Timed, share: number): number | null {
    if (piece.stage === "train" && share === 0) return null; // a checkpoint may hold epochs of it
    const now = this.#measured(piece, share);
    const before = this.#speeds.all;
    if (before.seconds + now.seconds < leastSeconds || (before.cost + now.cost) / this.#total < leastShare) return null;
    const speeds = this.#speeds.with(piece, now);
    let seconds = piece.cost * (1 - share) * speeds.of(piece);
    for (const other of this.#left.values()) if (other.key !== piece.key) seconds += other.cost * speeds.of(other);
    return Math.round(seconds);
  }
}

/** What work is called whose pieces differ in their images alone. */
const workOf = ({ phase, arm, attack }: Timed): string => JSON.stringify([phase, arm, attack]);

/** Seconds for a unit of cost, by work, by stage and over everything: the costs of different stages are estimates of different quality. */
class Speeds {
  readonly #measured: Map<string, Measured>;

  constructor(measured: ReadonlyMap<string, Measured> = new Map()) {
    this.#measured = new Map(measured);
  }

  add(piece: Timed, { seconds, cost }: Measured): void {
    for (const name of namesOf(piece)) {
      const before = this.#measured.get(name) ?? { seconds: 0, cost: 0 };
      this.#measured.set(name, { seconds: before.seconds + seconds, cost: before.cost + cost });
    }
  }

  with(piece: Timed, measured: Measured): Speeds {
    const more = new Speeds(this.#measured);
    if (measured.cost > 0) more.add(piece, measured);
    return more;
  }

  get all(): Measured {
    return this.#measured.get(everything) ?? { seconds: 0, cost: 0 };
  }

  /** Of the most similar work that took any time. */
  of(piece: Timed): number {
    const known = namesOf(piece)
      .map((name) => this.#measured.get(name))
      .find((measured) => measured !== undefined && measured.cost > 0);
    return known ? known.seconds / known.cost : 0;
  }
}

const everything = "everything";
const namesOf = (piece: Timed): string[] => [workOf(piece), piece.stage, everything];
