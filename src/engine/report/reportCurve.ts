import type { RunEvent } from "../../shared/events.ts";
import type { LineFigure } from "../../shared/figures/figure.ts";

type EpochEvent = Extract<RunEvent, { kind: "epoch" }>;
export interface Curve {
  readonly arm: string;
  readonly history: readonly Pick<EpochEvent, "epoch" | "trainLoss">[];
}

/** Training loss by epoch, a figure of its own for every arm: losses of different defences have different units. */
export const lossFigures = (curves: readonly Curve[]): LineFigure[] =>
  curves
    .filter(({ history }) => history.length > 0)
    .map(({ arm, history }) => ({
      kind: "line",
      title: `Training loss of ${arm}`,
      x: { label: "Epoch", format: "count" },
      y: { label: "Training loss", format: "number" },
      series: [{ label: arm, colour: 0, points: history.map(({ epoch, trainLoss }) => ({ x: epoch, y: trainLoss })) }],
    }));
