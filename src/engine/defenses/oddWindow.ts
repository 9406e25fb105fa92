import type { Refuse } from "../define/index.ts";

/** Refuses windows without a pixel in the middle. */
export const refuseEvenWindow: Refuse<{ readonly window: number }> = ({ window }) =>
  window % 2 === 1
    ? null
    : { message: `A window of ${window} pixels has no middle.`, fix: `Set window to ${window - 1} or ${window + 1}: it has to be odd.` };
