import type { TrainSettings } from "../../shared/experiment.ts";
import type { EpochRecord } from "./history.ts";
import { isBetter } from "./history.ts";

/**
 * Learning rate at a point of the training.
 * @param epoch counted from 1; `part` is the share of it that is done, in [0,1).
 * @param history the epochs before this one: `plateau` lowers the rate each time `patience` epochs went by without a better one.
 */
export function learningRateAt(settings: TrainSettings, epoch: number, part: number, history: readonly EpochRecord[]): number {
  const { learningRate, schedule, epochs } = settings;
  switch (schedule.kind) {
    case "constant":
      return learningRate;
    case "steps":
      return learningRate * schedule.factor ** schedule.at.filter((at) => epoch > at).length;
    case "exponential":
      return learningRate * schedule.factor ** Math.floor((epoch - 1) / schedule.every);
    case "cosine":
      return (learningRate / 2) * (1 + Math.cos((Math.PI * (epoch - 1 + part)) / epochs));
    case "plateau":
      return learningRate * schedule.factor ** plateaus(history, schedule.patience);
  }
}

function plateaus(history: readonly EpochRecord[], patience: number): number {
  let best: EpochRecord | undefined;
  let waited = 0;
  let count = 0;
  for (const record of history) {
    if (!best || isBetter(record, best)) {
      best = record;
      waited = 0;
    } else if (++waited >= Math.max(1, patience)) {
      count++;
      waited = 0;
    }
  }
  return count;
}
