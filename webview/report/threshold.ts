import { count, number, percent } from "../../src/shared/format.ts";
import { choiceLabel, type Names } from "../../src/shared/labels.ts";
import { type DetectorResult, type RunReport, wilson } from "../../src/shared/results.ts";

/** A detector on an arm whose threshold can be tried. */
export interface TrialDetector {
  readonly label: string;
  readonly result: DetectorResult;
  /** Ascending, as a slider has them: the first, null, lies below every score. */
  readonly stops: readonly (number | null)[];
  /** Where the slider begins: at the threshold that was chosen; where there is none, at the largest score. */
  readonly first: number;
}

/** Those of a report whose curves say where a threshold may stand; none in reports of earlier versions. */
export function trialDetectors({ arms }: Pick<RunReport, "arms">, names: Pick<Names, "arm">): TrialDetector[] {
  return arms.flatMap(({ name, detectors }) =>
    detectors.flatMap((result): TrialDetector[] => {
      const stops = (result.thresholds ?? []).toReversed();
      if (stops.length < 2 || !result.cleanImages) return [];
      const chosen = result.threshold === null ? -1 : stops.indexOf(result.threshold);
      const label = arms.length > 1 ? `${names.arm(name)}, ${choiceLabel(result)}` : choiceLabel(result);
      return [{ label, result, stops, first: chosen < 0 ? stops.length - 1 : chosen }];
    }),
  );
}

/** What a threshold flags of one kind of images. */
export interface Flagged {
  readonly name: string;
  readonly flagged: number;
  readonly n: number;
}

/** False alarms first, then what is caught of every attack; of an attack that left nothing to count, nothing. */
export function flaggedAt({ result, stops }: TrialDetector, at: number, names: Pick<Names, "attack">): Flagged[] {
  const { cleanImages = 0, results } = result;
  const place = stops.length - 1 - at; // points are in the order of descending thresholds
  const shown = results.filter(({ points }) => points.length > 0);
  const alarms = shown[0]?.points[place]?.falsePositiveRate ?? 0;
  return [
    { name: "Clean images", flagged: Math.round(alarms * cleanImages), n: cleanImages },
    ...shown.map(({ attack, adaptive, n, points }) => ({
      name: `${names.attack(attack)}, ${adaptive ? "evades it" : "does not know it"}`,
      flagged: Math.round((points[place]?.truePositiveRate ?? 0) * n),
      n,
    })),
  ];
}

export const thresholdText = (stop: number | null | undefined): string => (typeof stop === "number" ? number(stop) : "below every score");

/** Count, share and 95 % interval as the table has them. */
export function flaggedTexts({ flagged, n }: Flagged): readonly [counted: string, share: string, interval: string] {
  const [low, high] = wilson(flagged, n) ?? [0, 1];
  return [`${count(flagged)} of ${count(n)}`, percent(flagged / n), `${percent(low).replace(" %", "")}–${percent(high)}`];
}

/** The whole of it in words, for a screen reader. */
export const spokenTrial = (stop: number | null | undefined, all: readonly Flagged[]): string =>
  [`Threshold ${thresholdText(stop)}`, ...all.map((one) => `${one.name}: ${flaggedTexts(one).slice(0, 2).join(", ")}`)].join(". ");
