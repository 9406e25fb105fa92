/**
 * Divides images that come without a division: in each class, in order, the share `testShare` goes to the test split, evenly
 * spread. Nothing random, so that adding images to one class does not move those of another.
 */
export function splitByShare(labels: ArrayLike<number>, testShare: number): { train: number[]; test: number[] } {
  const seen = new Map<number, number>();
  const rows: { train: number[]; test: number[] } = { train: [], test: [] };
  for (let row = 0; row < labels.length; row++) {
    const label = labels[row] as number;
    const j = seen.get(label) ?? 0;
    seen.set(label, j + 1);
    const isTest = Math.floor((j + 1) * testShare + 1e-9) > Math.floor(j * testShare + 1e-9);
    rows[isTest ? "test" : "train"].push(row);
  }
  return rows;
}
