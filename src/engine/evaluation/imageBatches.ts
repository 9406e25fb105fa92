import type { EvaluationImages, ImageBatch } from "../define/index.ts";
import { readAhead } from "../io/readAhead.ts";
import type { Range } from "./batches.ts";

/** The images of each range in turn. The next range is read while the caller works on the current one. */
export const imageBatches = (images: EvaluationImages, ranges: readonly Range[]): AsyncGenerator<readonly [Range, ImageBatch]> =>
  readAhead(ranges, ([start, end]) => images.read(start, end), { isAlone: images.readsWithModel === true });
