import { int } from "../define/index.ts";

/** Parameter of data sets whose labels somebody numbered; `datasetOf` applies it. */
export const firstLabel = int(0, "Number of the first class where labels are numbers: 1 for labels that count from 1.", {
  min: 0,
  max: 1_000_000,
  advanced: true,
});
