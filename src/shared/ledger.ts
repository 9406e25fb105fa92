import type { AttentionOverlap } from "./attention.ts";
import { type ArmReport, type AttackSummary, type ImageRecord, type Norm, type Radius, type WorstCase, wilson } from "./results.ts";
import { armRecordsFile, attackKeys, staticKey } from "./runs.ts";

/** What one attack did to the images of one arm. `attack` is its key, with "-static" for images that were only transferred. */
export interface AttackRecords {
  readonly arm: string;
  readonly attack: string;
  readonly images: readonly ImageRecord[];
  /** Left out where neither is known: then every image counts as it is. */
  readonly limits?: Limits;
}

/** What an attack was allowed: a radius, or any change, which it kept small in a norm. */
export interface Limits {
  readonly ball?: Radius;
  readonly minimizes?: Norm;
}
export const limitsOf = ({ ball, distances }: Pick<AttackSummary, "ball" | "distances">): Limits => ({
  ...(ball ? { ball } : {}),
  ...(distances ? { minimizes: distances.norm } : {}),
});

/** The image that an attack left lies within this radius, rounding aside. */
export const isWithin = (record: ImageRecord, { norm, radius }: Radius): boolean => record[norm] <= radius * (1 + 1e-6);

/** One image of one arm with what every attack did to it. */
export interface LedgerRow {
  readonly index: number;
  readonly label: number;
  readonly cleanPrediction: number;
  /** By attack key. */
  readonly records: Readonly<Record<string, ImageRecord>>;
  /** Attacks that reached on it what they count: a wrong prediction, or their target class. */
  readonly brokenBy: readonly string[];
  /**
   * Classified correctly under every attack, and without one. A smallest change counts only where it lies within a radius that another
   * attack of the arm was allowed: it is a result of that attack's threat model, whoever found it. Without such an attack it counts as it is.
   */
  readonly isSurvivor: boolean;
  /** Largest number of slices whose content cannot change the prediction, in any choice of them; null without a certificate. */
  readonly certified: number | null;
  /** By attack key: IoU in percent of the attention areas before and after it; empty where nobody measured it. */
  readonly attention: Readonly<Record<string, number>>;
}

/** What analyses found of every image of an arm. */
interface ImageFindings {
  readonly certified?: readonly number[] | null;
  readonly attention?: AttentionOverlap | null;
}

/** Rows of one arm, in the order of the images. */
export function ledgerRows(
  parts: readonly AttackRecords[],
  arm: string,
  { certified = null, attention = null }: ImageFindings = {},
): LedgerRow[] {
  const attentionOf = (index: number): LedgerRow["attention"] =>
    Object.fromEntries(
      Object.entries(attention ?? {}).flatMap(([attack, all]) => ((all[index] ?? -1) < 0 ? [] : [[attack, all[index] as number]])),
    );
  const byIndex = new Map<number, Record<string, ImageRecord>>();
  const own = parts.filter((part) => part.arm === arm);
  const counts = countingOf(own);
  for (const part of own) {
    for (const record of part.images) {
      const records = byIndex.get(record.index) ?? {};
      records[part.attack] = record;
      byIndex.set(record.index, records);
    }
  }
  return [...byIndex]
    .sort(([a], [b]) => a - b)
    .map(([index, records]) => ({
      ...rowOf(index, records, counts),
      certified: certified?.[index] ?? null,
      attention: attentionOf(index),
    }));
}

/** Whether what an attack did to an image lies within what the attacks of an arm were allowed. */
type Counting = (attack: string, record: ImageRecord) => boolean;

function countingOf(parts: readonly AttackRecords[]): Counting {
  const balls = parts.flatMap(({ limits }) => limits?.ball ?? []);
  const free = new Set(parts.flatMap(({ attack, limits }) => (limits?.minimizes ? [attack] : [])));
  return (attack, record) => balls.length === 0 || !free.has(attack) || balls.some((ball) => isWithin(record, ball));
}

function rowOf(
  index: number,
  records: Readonly<Record<string, ImageRecord>>,
  counts: Counting,
): Omit<LedgerRow, "certified" | "attention"> {
  const all = Object.entries(records);
  const { label = -1, cleanPrediction = -1 } = all[0]?.[1] ?? {};
  return {
    index,
    label,
    cleanPrediction,
    records,
    brokenBy: all.filter(([, record]) => record.cleanPrediction === record.label && record.success).map(([attack]) => attack),
    // Accuracy counts every wrong prediction, also one that a targeted attack did not aim at; so does its worst case.
    isSurvivor: cleanPrediction === label && all.every(([attack, record]) => record.prediction === record.label || !counts(attack, record)),
  };
}

/** The one place where the worst case is counted: in `report.json`, on the command line, in reports and in the panel. Null without attacks. */
export function worstCase(rows: readonly LedgerRow[], attacks: readonly string[]): WorstCase | null {
  if (attacks.length === 0) return null;
  const met = rows.filter(({ records }) => attacks.every((attack) => records[attack] !== undefined));
  const [n, correct] = [met.length, met.filter(({ isSurvivor }) => isSurvivor).length];
  return { accuracy: n === 0 ? null : correct / n, correct, n, interval: wilson(correct, n), attacks };
}

/** Where the records of an arm's attacks are, and whose pictures show them. */
export interface RecordsSource {
  /** As in `AttackRecords.attack`. */
  readonly attack: string;
  /** File in the run folder. */
  readonly file: string;
  /** Key of the attack that made the images, and the arm that it made them against. */
  readonly madeBy: string;
  readonly madeOn: string;
  readonly limits: Limits;
}

/** The key of each attack of an arm; reports of older versions do not name them. */
export const keysOf = ({ attacks }: Pick<ArmReport, "attacks">): string[] => {
  const keys = attackKeys(attacks.map(({ attack }) => attack.id));
  return attacks.map(({ key }, i) => key ?? (keys[i] as string));
};

/** An attack that was made on the arm itself, the static one beside it, or the static one alone. */
export function recordsSources(arm: Pick<ArmReport, "name" | "attacks">, armIndex: number): RecordsSource[] {
  return keysOf(arm).flatMap((key, i): RecordsSource[] => {
    const { mode, static: transferred } = arm.attacks[i] ?? {};
    const limits = limitsOf(arm.attacks[i] ?? {});
    const own = { attack: key, file: armRecordsFile(armIndex, arm.name, key), madeBy: key, madeOn: arm.name, limits };
    if (mode === "static") return [{ ...own, attack: staticKey(key) }];
    if (!transferred) return [own];
    const file = armRecordsFile(armIndex, arm.name, staticKey(key));
    return [own, { attack: staticKey(key), file, madeBy: key, madeOn: transferred.source, limits }];
  });
}
