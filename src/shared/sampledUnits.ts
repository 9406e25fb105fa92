import { percent } from "./format.ts";

/** A layer of a network that a randomised detector samples. */
export interface DetectorUnit {
  readonly layer: string;
  /** Places of its map, those of all slices of a volume. */
  readonly rows: number;
  readonly channels: number;
  /** Draws of one pass; null where none are counted, as by dropout. */
  readonly c: number | null;
  /** Mean share of the rows, or of the single activations, that were drawn at least once in a pass. */
  readonly kept: number;
  /** Mean share of those that could be drawn, as they are not 0. */
  readonly active: number;
}

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

/** Units over images that were scored in parts, with mean shares. */
export function unitsTogether(parts: readonly { readonly units: readonly DetectorUnit[]; readonly images: number }[]): DetectorUnit[] {
  const n = parts.reduce((sum, { images }) => sum + images, 0);
  const mean = (u: number, key: "kept" | "active"): number =>
    parts.reduce((sum, { units, images }) => sum + ((units[u]?.[key] ?? 0) * images) / n, 0);
  return (parts[0]?.units ?? []).map((unit, u) => ({ ...unit, kept: mean(u, "kept"), active: mean(u, "active") }));
}
