import type { RunEventBody } from "../../shared/events.ts";

/** What is known of a finished epoch: the event that was emitted. */
export type EpochRecord = Extract<RunEventBody, { kind: "epoch" }>;

/**
 * Higher validation accuracy, ties to the lower validation loss; without validation, lower training loss. A training on adversarial
 * images is judged by the accuracy under its own attack first: clean accuracy says little of what it is for.
 */
export function isBetter(a: EpochRecord, b: EpochRecord): boolean {
  const [under, other] = [a.attackedAccuracy ?? 0, b.attackedAccuracy ?? 0];
  if (under !== other) return under > other;
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
