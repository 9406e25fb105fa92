import type { RunEventBody } from "../../shared/events.ts";
import type { Piece } from "./piece.ts";

const every = 250; // ms between progress events

/** Turns finished pieces into "so much is done, so long it takes": events of kind `phase` and `progress`. */
export class ProgressMeter {
  readonly #total: number;
  readonly #start: number;
  #finished = 0;
  /** Work that was done before the run was resumed: it says nothing about the speed now. */
  #given = 0;
  #current: Piece | null = null;
  #phase = "";
  #lastSent = Number.NEGATIVE_INFINITY;
  readonly #emit: (event: RunEventBody) => void;
  readonly #clock: () => number;

  constructor(pieces: readonly Pick<Piece, "cost">[], emit: (event: RunEventBody) => void, clock: () => number) {
    this.#total = Math.max(
      1,
      pieces.reduce((sum, piece) => sum + piece.cost, 0),
    );
    this.#emit = emit;
    this.#clock = clock;
    this.#start = clock();
  }

  /** The shards of one piece of work are one phase. */
  begin(piece: Piece): void {
    this.#current = piece;
    const { phase, arm, attack } = piece;
    const name = JSON.stringify([phase, arm, attack]);
    if (name !== this.#phase) {
      this.#lastSent = Number.NEGATIVE_INFINITY;
      const named = { ...(arm === undefined ? {} : { arm }), ...(attack === undefined ? {} : { attack }) };
      this.#emit({ kind: "phase", phase, ...named });
    }
    this.#phase = name;
    this.report(0, 1);
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
    this.#emit({ kind: "progress", phase, ...shown, etaSeconds: this.#eta(work), overall: work / this.#total });
  }

  /** `done` images of the current shard. */
  images(done: number): void {
    const [start, end] = this.#current?.images ?? [0, 1];
    this.report(done, end - start);
  }

  finish(piece: Pick<Piece, "cost">, isGiven = false): void {
    this.#finished += piece.cost;
    if (isGiven) this.#given += piece.cost;
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
