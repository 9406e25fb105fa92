import type { Random } from "../random.ts";

/**
 * Whether images lie class by class: neighbours differ in class at most half as often as they would in a random order. Among n images of
 * which n_c are of class c, the expected number of neighbours that differ is (n − 1)·(1 − Σ n_c(n_c − 1) / (n(n − 1))).
 */
export function isClassSorted(labels: ArrayLike<number>): boolean {
  const n = labels.length;
  if (n < 2) return false;
  const counts = new Map<number, number>();
  let changes = 0;
  for (let i = 0; i < n; i++) {
    const label = labels[i] as number;
    counts.set(label, (counts.get(label) ?? 0) + 1);
    if (i > 0 && label !== labels[i - 1]) changes++;
  }
  if (counts.size < 2) return false;
  const equal = [...counts.values()].reduce((sum, count) => sum + count * (count - 1), 0) / (n * (n - 1));
  return changes <= ((n - 1) * (1 - equal)) / 2;
}

/**
 * An order of which every beginning is a stratified sample: the first image of every class, then images of all classes in proportion to
 * their numbers. The j-th of the n_c images of class c (in a random order, j from 0) comes at j / n_c, and classes at the same place
 * come in a random order. Twelve images of two classes: any six are three of each.
 */
export function stratifiedOrder(labels: ArrayLike<number>, random: Random): Int32Array {
  const byClass = new Map<number, number[]>();
  for (const row of random.permutation(labels.length)) {
    const label = labels[row] as number;
    const rows = byClass.get(label);
    if (rows) rows.push(row);
    else byClass.set(label, [row]);
  }
  // The classes come as a random image of each was met: in a random order themselves.
  const places = [...byClass.values()].flatMap((rows, rank) => rows.map((row, j) => ({ row, rank, place: j / rows.length })));
  places.sort((a, b) => a.place - b.place || a.rank - b.rank);
  return Int32Array.from(places, ({ row }) => row);
}

/**
 * The images of a part of a split: the first `limit`, whose order is that of the source, where that is mixed already, as in MNIST and
 * CIFAR-10; else the beginning of `stratifiedOrder`. All images are always in the order of the source.
 */
export function sampled(labels: Int32Array, isGrouped: boolean, limit: number | null, random: Random): Int32Array {
  const size = labels.length;
  const n = Math.min(size, limit ?? size);
  if (n < size && isGrouped) return stratifiedOrder(labels, random).slice(0, n);
  return Int32Array.from({ length: n }, (_, i) => i);
}
