/** How far an attack that looks for the smallest change moved one image from its predicted class. */
export interface Residue {
  /** ‖η‖₂/‖x‖₂; null for a black image, which has no length. */
  readonly ratio: number | null;
  /** The prediction changed. */
  readonly isFooled: boolean;
  /** It was the label before. */
  readonly isRight: boolean;
}

/**
 * Accuracy at a limit d on the residue ratio: images that were right and that no change of up to d times their length fools, of all images.
 * It equals that of an attack which stops at d, as an image is given up there while it still has its class. Null without images.
 * Source: Ranjan et al. 2017, Table 2.
 */
export function accuracyAt(residues: readonly Residue[], d: number): number | null {
  const right = residues.filter(({ isRight, isFooled, ratio }) => isRight && (!isFooled || ratio === null || ratio > d));
  return residues.length === 0 ? null : right.length / residues.length;
}

/**
 * ρ_adv: the mean residue ratio of all images, right or wrong before; one that was not fooled counts with its last change, and black ones
 * do not count. Null without images. Source: Moosavi-Dezfooli et al. 2016, eq. 15.
 */
export function meanRatio(residues: readonly Residue[]): number | null {
  const ratios = residues.flatMap(({ ratio }) => (ratio === null ? [] : [ratio]));
  return ratios.length === 0 ? null : ratios.reduce((sum, ratio) => sum + ratio, 0) / ratios.length;
}
