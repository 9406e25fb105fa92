import type { Random } from "../../src/engine/random.ts";

/** Files of one kind that a stranger may hand us. */
export interface Kind {
  readonly name: string;
  /** A file takes most of a second: one is opened for every ten of the other kinds. */
  readonly isSlow?: boolean;
  /** What it opens is a path that the input itself says, so that files outside of its folder are what was asked for. */
  readonly namesPaths?: boolean;
  /** What opens it keeps models for the next time, as the warm engine does. */
  readonly keepsModels?: boolean;
  /** Makes what is whole in `originals`, once, and gives what damages and opens. */
  prepare(originals: string): Promise<Opener>;
}

export interface Opener {
  /** Writes one damaged input into an empty folder, all of it drawn from `random`. */
  write(folder: string, random: Random): Promise<void> | void;
  /** Opens it as the product does; what it throws is held against what an error must be. */
  open(folder: string): Promise<void>;
}
