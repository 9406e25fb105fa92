import { percent } from "./format.ts";
import type { DetectorUnit } from "./images.ts";

/** A unit that keeps more than this share of what is not 0 changes next to nothing. */
const nearlyAll = 0.99;

/** "relu_1 keeps 86.5 % (784 draws, 676 rows)". */
export const keptText = (unit: DetectorUnit): string =>
  `${unit.layer} keeps ${percent(unit.kept)} (${unit.c === null ? "" : `${unit.c} draws, `}${unit.rows} rows)`;

/** What to say of units that a detector samples without effect; none where all have one. */
export const inertTexts = (units: readonly DetectorUnit[]): string[] =>
  units
    .filter(({ kept, active }) => active > 0 && kept > nearlyAll * active)
    .map(
      (unit) =>
        `The unit ${unit.layer} is inert: it keeps ${percent(unit.kept / unit.active)} of what is not 0 in a pass. Draw less often, by a smaller "ratio" or with "cMode": "perUnit".`,
    );
