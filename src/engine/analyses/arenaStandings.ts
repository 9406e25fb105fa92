import { type Limits, ledgerRows, limitsOf, worstCase } from "../../shared/ledger.ts";
import { type ImageRecord, type Rate, wilson } from "../../shared/results.ts";
import { staticKey } from "../../shared/runs.ts";
import type { AnalysedArm, AnalysedAttack } from "../define/analysis.ts";
import { accuracies } from "../metrics/robustness.ts";

/** Share of images that are classified correctly, and its 95 % Wilson interval. */
export type Share = Rate & { readonly interval: readonly [low: number, high: number] | null };

/** How an arm stands among the others. */
export interface Standing {
  readonly name: string;
  readonly clean: Share;
  /** The strongest attack of each image, adaptive and static ones among them: the worst case of the ledger. Null without attacks. */
  readonly worst: Share | null;
  /** The same over the attacks that were made against the arm itself; null where there is none. */
  readonly adaptive: number | null;
  /** The same over images that were made without the defence; null where there are none. */
  readonly static: number | null;
  /** The attack that leaves the fewest images right. */
  readonly strongest: string | null;
  /** Median time of an image: through everything, and through what stands in front alone. */
  readonly milliseconds: number | null;
  readonly frontMilliseconds: number | null;
}

type Attacked = readonly (readonly [name: string, records: readonly ImageRecord[], limits: Limits])[];

export function standingOf({ report, attacks }: AnalysedArm): Standing {
  const { name, clean, worst, timing } = report;
  const own = madeOn(attacks);
  const shown = withoutDefense(report.defense.id === "standard", attacks);
  const all = [...own, ...shown].map(([label, records]) => [label, accuracies(records).attacked ?? 1] as const);
  const strongest = all.reduce<(typeof all)[number] | null>((best, one) => (best && best[1] <= one[1] ? best : one), null);
  return {
    name,
    clean: { ...clean, interval: wilson(clean.correct, clean.n) },
    worst: worst ?? null,
    adaptive: worstOf(name, own),
    static: worstOf(name, shown),
    strongest: strongest?.[0] ?? null,
    milliseconds: timing?.forwardMilliseconds ?? null,
    frontMilliseconds: timing?.frontMilliseconds ?? null,
  };
}

const labelOf = ({ key, summary }: AnalysedAttack): string => summary.label ?? key;

const madeOn = (attacks: readonly AnalysedAttack[]): Attacked =>
  attacks.filter(({ summary }) => summary.mode !== "static").map((attack) => [labelOf(attack), attack.records, limitsOf(attack.summary)]);

/** An undefended arm has no defence that an attack could lack: its own images are the static ones of the others. */
const withoutDefense = (isUndefended: boolean, attacks: readonly AnalysedAttack[]): Attacked =>
  isUndefended
    ? madeOn(attacks)
    : attacks.flatMap((attack) =>
        attack.static ? [[`${labelOf(attack)}, static`, attack.static, limitsOf(attack.summary)] as const] : [],
      );

function worstOf(arm: string, attacked: Attacked): number | null {
  const parts = attacked.map(([, images, limits], i) => ({ arm, attack: staticKey(String(i)), images, limits }));
  const keys = parts.map(({ attack }) => attack);
  return worstCase(ledgerRows(parts, arm), keys)?.accuracy ?? null;
}

/**
 * Which points no other point beats: none is as good on both axes and better on one. `y` is better the higher it is, `x` as `prefers` says.
 * @returns for each point whether it is on the front; false for a point that lacks a value
 */
export function paretoFront(
  points: readonly { readonly x: number | null; readonly y: number | null }[],
  prefers: "more" | "less",
): boolean[] {
  const sign = prefers === "more" ? 1 : -1;
  return points.map(({ x, y }) => {
    if (x === null || y === null) return false;
    return !points.some((other) => {
      if (other.x === null || other.y === null) return false;
      const [ahead, above] = [sign * (other.x - x), other.y - y];
      return ahead >= 0 && above >= 0 && ahead + above > 0;
    });
  });
}
