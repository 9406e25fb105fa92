/** Above it there is no upper end yet. */
const unlimited = 1e10;

/**
 * Binary search for the constant c that weighs success against distance: after a success it falls to the middle of the interval, after a
 * failure it rises to the middle, or tenfold while nothing has succeeded. Source: Carlini & Wagner 2017, and their code.
 */
export class Constant {
  value: number;
  #low = 0;
  #high = unlimited;

  constructor(initial: number) {
    this.value = initial;
  }

  next(succeeded: boolean): void {
    if (succeeded) this.#high = Math.min(this.#high, this.value);
    else this.#low = Math.max(this.#low, this.value);
    this.value = this.#high < unlimited ? (this.#low + this.#high) / 2 : this.value * 10;
  }
}
