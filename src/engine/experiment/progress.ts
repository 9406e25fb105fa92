import type { RunEventBody } from "../../shared/events.ts";

/** One piece of a run and what it costs, in forward passes of one image: only the ratios matter. */
export interface Piece {
  readonly key: string;
  /** A sentence for people, such as "Training undefended". */
  readonly phase: string;
  readonly arm: string;
  readonly attack?: string;
  readonly cost: number;
}

const every = 250; // ms between progress events

/** Turns finished pieces into "so much is done, so long it takes": events of kind `phase` and `progress`. */
export class ProgressMeter {
  readonly #total: number;
  readonly #start: number;
  #finished = 0;
  /** Work that was done before the run was resumed: it says nothing about the speed now. */
  #given = 0;
  #current: Piece | null = null;
  #lastSent = Number.NEGATIVE_INFINITY;
  readonly #pieces: ReadonlyMap<string, Piece>;
  readonly #emit: (event: RunEventBody) => void;
  readonly #clock: () => number;

  constructor(pieces: readonly Piece[], emit: (event: RunEventBody) => void, clock: () => number) {
    this.#pieces = new Map(pieces.map((piece) => [piece.key, piece]));
    this.#total = Math.max(
      1,
      pieces.reduce((sum, piece) => sum + piece.cost, 0),
    );
    this.#emit = emit;
    this.#clock = clock;
    this.#start = clock();
  }

  begin(key: string): void {
    const piece = this.#pieces.get(key);
    if (!piece) return;
    this.#current = piece;
    this.#lastSent = Number.NEGATIVE_INFINITY;
    this.#emit({ kind: "phase", phase: piece.phase, arm: piece.arm, ...(piece.attack === undefined ? {} : { attack: piece.attack }) });
    this.report(0, 1);
  }

  /** `done` of `total` of the current piece; sent at most four times a second. */
  report(done: number, total: number): void {
    const piece = this.#current;
    if (!piece || this.#clock() - this.#lastSent < every) return;
    this.#lastSent = this.#clock();
    const work = this.#finished + piece.cost * Math.min(1, done / Math.max(1, total));
    this.#emit({ kind: "progress", phase: piece.phase, done, total, etaSeconds: this.#eta(work), overall: work / this.#total });
  }

  finish(key: string, reused = false): void {
    const cost = this.#pieces.get(key)?.cost ?? 0;
    this.#finished += cost;
    if (reused) this.#given += cost;
    this.#current = null;
  }

  get overall(): number {
    return this.#finished / this.#total;
  }

  #eta(work: number): number | null {
    const seconds = (this.#clock() - this.#start) / 1000;
    const own = work - this.#given;
    if (seconds < 2 || own / this.#total < 0.005) return null;
    return Math.round((seconds / own) * (this.#total - work));
  }
}
