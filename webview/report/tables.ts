import { type CertifiedColumn, certifiedColumn, uncertified } from "../../src/shared/certificate.ts";
import { number, percent, points } from "../../src/shared/format.ts";
import { armLabel, attackLabel, choiceLabel, knowledgeNote, type Names } from "../../src/shared/labels.ts";
import { keysOf, ledgerRows, worstCase } from "../../src/shared/ledger.ts";
import type { LedgerPart } from "../../src/shared/panels.ts";
import { type ArmReport, type AttackSummary, isStaticOnly, type RunReport, wilson } from "../../src/shared/results.ts";
import { staticKey } from "../../src/shared/runs.ts";

/** A share with its 95 % interval. */
export interface Cell {
  readonly share: number | null;
  readonly low: number;
  readonly high: number;
  readonly n: number;
}
export interface ArmRow {
  readonly arm: string;
  /** What the arm and its defence are called. */
  readonly label: string;
  readonly defense: string;
  readonly clean: Cell;
  /** By attack key; an attack that the arm was not put to is missing. Images that were only transferred have no summary of their own. */
  readonly attacks: Readonly<Record<string, { readonly cell: Cell; readonly summary: AttackSummary | null }>>;
  /** Right under every attack; null when the records of the images are not there. */
  readonly worst: Cell | null;
  /** Right and certified, with the first number of slices; null without a certificate. */
  readonly certified: Cell | null;
  /** No adaptive attack contributed to it. */
  readonly isWorstStatic: boolean;
}
export interface Overview {
  readonly columns: readonly { readonly key: string; readonly text: string }[];
  readonly rows: readonly ArmRow[];
  /** What the certified figures are called and mean; null where nothing is proven of any arm. */
  readonly certified: Pick<CertifiedColumn, "head" | "meaning"> | null;
  /** Why nothing is proven of an arm. */
  readonly uncertified: readonly string[];
}

function cellOf(correct: number, n: number): Cell {
  const interval = wilson(correct, n);
  return { share: n === 0 ? null : correct / n, low: interval?.[0] ?? 0, high: interval?.[1] ?? 1, n };
}

/** Arms in rows, attacks in columns (adaptive and static beside each other), the worst case of each image at the end. */
export function overview(report: RunReport, ledger: readonly LedgerPart[]): Overview {
  const certified = certifiedColumn(report.arms);
  const without = report.arms.flatMap((arm) => {
    const why = uncertified(arm);
    return why === null ? [] : [`${armLabel(arm)}: ${why}.`];
  });
  return { columns: columnsOf(report), rows: report.arms.map((arm) => rowOf(arm, ledger, certified)), certified, uncertified: without };
}

function columnsOf({ arms }: RunReport): Overview["columns"] {
  const columns = new Map<string, string>();
  for (const arm of arms)
    for (const [i, key] of keysOf(arm).entries()) {
      const summary = arm.attacks[i];
      if (!summary || columns.has(key)) continue;
      const name = attackLabel(summary);
      const has = arms.some((other) => {
        const twin = other.attacks[keysOf(other).indexOf(key)];
        return twin?.static || twin?.mode === "static";
      });
      columns.set(key, has ? `${name}, adaptive` : name);
      if (has) columns.set(staticKey(key), `${name}, static`);
    }
  return [...columns].map(([key, text]) => ({ key, text }));
}

function rowOf(arm: ArmReport, ledger: readonly LedgerPart[], certified: CertifiedColumn | null): ArmRow {
  const attacks: Record<string, { cell: Cell; summary: AttackSummary | null }> = {};
  for (const [i, key] of keysOf(arm).entries()) {
    const summary = arm.attacks[i];
    if (!summary) continue;
    const { static: transferred, mode } = summary;
    // An attack that never met the defence is told as what it is.
    const own = mode === "static" ? staticKey(key) : key;
    attacks[own] = { cell: cellOf(summary.attacked.correct, summary.n), summary };
    if (transferred && own === key) attacks[staticKey(key)] = { cell: cellOf(transferred.attacked.correct, transferred.n), summary: null };
  }
  // Reports of older versions leave the worst case to be counted from the records.
  const worst = arm.worst === undefined ? worstCase(ledgerRows(ledger, arm.name), Object.keys(attacks)) : arm.worst;
  const proven = certified?.of(arm);
  return {
    arm: arm.name,
    label: armLabel(arm),
    defense: choiceLabel(arm.defense),
    clean: cellOf(arm.clean.correct, arm.clean.n),
    attacks,
    worst: worst && worst.n > 0 ? cellOf(worst.correct, worst.n) : null,
    certified: proven ? cellOf(proven.correct, proven.n) : null,
    isWorstStatic: isStaticOnly(arm.attacks),
  };
}

export const interval = (cell: Cell): string => (cell.share === null ? "" : `${points(cell.low)}–${percent(cell.high)}`);

/** One line for an expectation: "attacked accuracy of undefended under pgd ≥ 40.0 %: 0.3 %". */
export function expectationText(e: RunReport["expect"][number], names: Names): string {
  const what = [e.metric, e.arm && `of ${names.arm(e.arm)}`, e.attack && `under ${names.attack(e.attack)}`].filter(Boolean).join(" ");
  const bounds = [e.min !== undefined && `at least ${number(e.min)}`, e.max !== undefined && `at most ${number(e.max)}`]
    .filter(Boolean)
    .join(" and ");
  return `${what}: ${number(e.value)}${knowledgeNote(e)}, expected ${bounds}`;
}
