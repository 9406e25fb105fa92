import type { Syllabus } from "../define/index.ts";
import { toBytes } from "../pixels.ts";
import { type RankingRule, rankItems, withMeasureDefaults } from "../volumizer/rank.ts";

/**
 * What a curriculum is compared with: as many images to an optimiser step, in the shuffled order of the batch. Without it the batch size
 * of the steps would be compared, not the order.
 * @param microBatch images a step, from 1
 */
export const shuffledSteps = (microBatch: number): Syllabus => ({
  microBatch: (batchSize) => Math.min(batchSize, microBatch),
  order: (_images, n) => Int32Array.from({ length: n }, (_, i) => i),
});

/**
 * Curriculum by a measure: the images of a batch are scored as the volumizer scores slices (a whole image is one vector, the reference
 * is one of the batch) and fed in that order, `microBatch` images to an optimiser step. Within one step order changes nothing, so
 * `microBatch` = batch size, as in the authors' code, is no curriculum at all.
 * @param microBatch images a step; 0 means an eighth of the batch
 * Source: Ghebrechristos & Alaghband 2024, section 3.5.
 */
export function createSyllabus(rule: RankingRule, microBatch: number): Syllabus {
  const ranking = withMeasureDefaults(rule);
  return {
    microBatch: (batchSize) => Math.min(batchSize, microBatch > 0 ? microBatch : Math.max(1, Math.floor(batchSize / 8))),
    order(images, n) {
      if (n < 2) return new Int32Array(n);
      const bytes = toBytes(images);
      const size = bytes.length / n;
      return rankItems(
        Array.from({ length: n }, (_, i) => bytes.subarray(i * size, (i + 1) * size)),
        ranking,
      ).perm;
    },
  };
}
