import { attentionKept } from "../../src/shared/attention.ts";
import type { LedgerRow } from "../../src/shared/ledger.ts";

export type Filter =
  | { readonly kind: "all" | "survived" | "lost8Bit" | "repaired" | "wrong" | "certified" }
  | { readonly kind: "broken" | "brokenOnly" | "attentionKept"; readonly attack: string };
export const sortColumns = [
  "index",
  "label",
  "cleanPrediction",
  "prediction",
  "linf",
  "l2",
  "l0",
  "iterations",
  "certified",
  "broken",
] as const;
export type SortColumn = (typeof sortColumns)[number];
export interface Sort {
  readonly column: SortColumn;
  readonly isDescending: boolean;
}

export function matches(row: LedgerRow, filter: Filter): boolean {
  switch (filter.kind) {
    case "all":
      return true;
    case "survived":
      return row.isSurvivor;
    case "wrong":
      return row.cleanPrediction !== row.label;
    case "certified":
      return row.cleanPrediction === row.label && (row.certified ?? 0) > 0;
    case "lost8Bit":
      return Object.values(row.records).some((r) => r.success && !r.successAfter8Bit);
    case "repaired":
      return Object.values(row.records).some((r) => r.repaired);
    case "broken":
      return row.brokenBy.includes(filter.attack);
    case "brokenOnly":
      return row.brokenBy.length === 1 && row.brokenBy[0] === filter.attack;
    case "attentionKept":
      return row.brokenBy.includes(filter.attack) && (row.attention[filter.attack] ?? 0) >= attentionKept;
  }
}

/** Value that a column sorts by; norms and predictions are those of `attack`. */
function sortValue(row: LedgerRow, column: SortColumn, attack: string): number {
  if (column === "index" || column === "label" || column === "cleanPrediction") return row[column];
  if (column === "certified") return row.certified ?? Number.NaN;
  if (column === "broken") return row.brokenBy.length;
  return row.records[attack]?.[column] ?? Number.NaN;
}

/** Filtered and sorted; equal ones keep the order of the images, rows without a value come last. */
export function arrange(rows: readonly LedgerRow[], filter: Filter, sort: Sort, attack: string): LedgerRow[] {
  const direction = sort.isDescending ? -1 : 1;
  const keyed = rows.filter((row) => matches(row, filter)).map((row) => ({ row, value: sortValue(row, sort.column, attack) }));
  keyed.sort((a, b) => {
    if (Number.isNaN(a.value) || Number.isNaN(b.value))
      return Number(Number.isNaN(a.value)) - Number(Number.isNaN(b.value)) || a.row.index - b.row.index;
    return direction * (a.value - b.value) || a.row.index - b.row.index;
  });
  return keyed.map(({ row }) => row);
}

export function ledgerCsv(rows: readonly LedgerRow[], attacks: readonly string[]): string {
  const perAttack = ["prediction", "success", "successAfter8Bit", "repaired", "linf", "l2", "l0", "iterations"] as const;
  const hasCertificate = rows.some(({ certified }) => certified !== null);
  const hasAttention = (attack: string): boolean => rows.some(({ attention }) => attention[attack] !== undefined);
  const head = [
    "index",
    "label",
    "cleanPrediction",
    ...(hasCertificate ? ["certifiedSlices"] : []),
    ...attacks.flatMap((a) => [...perAttack.map((field) => `${a}.${field}`), ...(hasAttention(a) ? [`${a}.attentionIoU`] : [])]),
  ];
  const line = (row: LedgerRow): string =>
    [
      row.index,
      row.label,
      row.cleanPrediction,
      ...(hasCertificate ? [row.certified ?? ""] : []),
      ...attacks.flatMap((a) => [
        ...perAttack.map((field) => (row.records[a] ? (row.records[a][field] ?? false) : "")),
        ...(hasAttention(a) ? [row.attention[a] ?? ""] : []),
      ]),
    ].join(",");
  return `${[head.join(","), ...rows.map(line)].join("\n")}\n`;
}
