import { BulwarkError } from "../../shared/errors.ts";

/** An error with the name of the arm or attack it is about in front; anything but a `BulwarkError` stays as it is. */
export const named = (what: string, thrown: unknown): unknown =>
  thrown instanceof BulwarkError ? new BulwarkError(thrown.code, `${what}: ${thrown.message}`, thrown.fix, { cause: thrown }) : thrown;
