import type { RunEventBody } from "../../shared/events.ts";

/** What is known of a finished epoch: the event that was emitted. */
export type EpochRecord = Extract<RunEventBody, { kind: "epoch" }>;

/** Higher validation accuracy, ties to the lower validation loss; without validation, lower training loss. */
export function isBetter(a: EpochRecord, b: EpochRecord): boolean {
  if (a.validationAccuracy === null || b.validationAccuracy === null) return a.trainLoss < b.trainLoss;
  if (a.validationAccuracy !== b.validationAccuracy) return a.validationAccuracy > b.validationAccuracy;
  return (a.validationLoss ?? 0) < (b.validationLoss ?? 0);
}

/** The best epoch so far, the first among equals. */
export function bestOf(history: readonly EpochRecord[]): EpochRecord | undefined {
  let best: EpochRecord | undefined;
  for (const record of history) if (!best || isBetter(record, best)) best = record;
  return best;
}

/** No better epoch for `patience` epochs; 0 never. */
export function shouldStop(history: readonly EpochRecord[], patience: number): boolean {
  const best = bestOf(history);
  const last = history.at(-1);
  return patience > 0 && best !== undefined && last !== undefined && last.epoch - best.epoch >= patience;
}
