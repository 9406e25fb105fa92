/** Images that one pass of the network takes, and how many of them are candidates; the rest is padding. */
export interface Chunk {
  readonly size: number;
  readonly count: number;
}

/** What a pass costs beside its images, in images: fewer, fuller passes are worth some padding. */
const passCost = 8;

/** Images at a time: enough to keep the cores busy, little enough for caches and memory. */
export const chunkLimit = (values: number): number => Math.min(512, Math.max(16, Math.floor(2 ** 18 / values)));

/**
 * How the candidates of `searches` populations of `popSize` go through the network. All passes have one of two sizes, however many
 * searches are left, so that a backend that compiles does so twice at most: equal parts of a population that is larger than the limit, or
 * as many whole populations as fit, and single ones for the remainder where those are cheaper than one padded pass.
 */
export function chunksOf(searches: number, popSize: number, limit: number): Chunk[] {
  const total = searches * popSize;
  if (popSize > limit) return cut(total, Math.ceil(popSize / Math.ceil(popSize / limit)));
  const together = Math.floor(limit / popSize);
  const full = together * popSize;
  const left = searches % together;
  const whole = cut(total - left * popSize, full);
  const singly = left * (popSize + passCost) < full + passCost;
  return [...whole, ...cut(left * popSize, singly ? popSize : full)];
}

/** Passes of one size for `total` images, the last one padded: what a backend compiles once. */
export function cut(total: number, size: number): Chunk[] {
  return Array.from({ length: Math.ceil(total / size) }, (_, i) => ({ size, count: Math.min(size, total - i * size) }));
}

/**
 * The size of a pass of `count` images where at most `most` are left of a batch: `most` or a half, a quarter … of it, so that a backend
 * compiles few sizes while images leave. No pass is of one image alone (`scorerOf` says why).
 */
export function halvedSize(count: number, most: number): number {
  let size = Math.max(2, most);
  while (Math.ceil(size / 2) >= Math.max(2, count)) size = Math.ceil(size / 2);
  return size;
}
