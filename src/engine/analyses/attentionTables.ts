import { plural } from "../../shared/format.ts";
import type { AnalysisTable, Column, TableCell } from "../../shared/results.ts";
import { differenceOf, type Mean } from "../metrics/means.ts";
import type { BySuccess } from "./attentionGroups.ts";
import type { AttackStudy, ObjectStudy, StudyData } from "./attentionOverlap.ts";
import type { SuperpixelStudy } from "./attentionSuperpixels.ts";

/** One attack on one arm. */
export interface Line {
  readonly arm: string;
  readonly attack: string;
  readonly data: StudyData;
  readonly study: AttackStudy;
}
export interface Asked {
  /** Of the explanation. */
  readonly title: string;
  /** Of the explanation by superpixels. */
  readonly ofSuperpixels: string;
  /** Numbers of cells on the paper's grid. */
  readonly wanted: readonly number[];
}

const text = (name: string): Column => ({ name, format: "text" });

/** "0.393 ± 0.012"; without the interval where a single value says nothing of it. */
const meanText = (mean: Mean | null): string | null => {
  if (!mean) return null;
  const decimals = (value: number): string => value.toFixed(3).replace("-", "−");
  return mean.half === null ? decimals(mean.mean) : `${decimals(mean.mean)} ± ${decimals(mean.half)}`;
};

/** A row of a table: one attack on one arm, and what its groups are about. */
interface GroupRow {
  readonly line: Line;
  readonly of?: string;
  readonly groups: BySuccess;
  /** IoU of areas drawn at random. */
  readonly random?: number;
}

/** Means of both groups and their difference. @param of heading of what the rows are about; left out where they have no such column */
function groupTable(title: string, rows: readonly GroupRow[], of?: string): AnalysisTable {
  const hasRandom = rows.some(({ random }) => random !== undefined);
  return {
    title,
    columns: [
      text("arm"),
      text("attack"),
      ...(of ? [text(of)] : []),
      text("attack succeeded"),
      text("attack failed"),
      text("succeeded less failed"),
      { name: "images", format: "count" },
      { name: "share that is fooled", format: "percent" },
      ...(hasRandom ? [{ name: "random areas", format: "number" } as const] : []),
    ],
    rows: rows.map(({ line, groups, random, ...row }): TableCell[] => {
      const { succeeded, failed } = groups;
      const [fooled, n] = [succeeded?.n ?? 0, (succeeded?.n ?? 0) + (failed?.n ?? 0)];
      return [
        line.arm,
        line.attack,
        ...(of ? [row.of ?? null] : []),
        ...[succeeded, failed, differenceOf(succeeded, failed)].map(meanText),
        n,
        n === 0 ? null : fooled / n,
        ...(hasRandom ? [random ?? null] : []),
      ];
    }),
  };
}

export const deviationTable = (lines: readonly Line[], { wanted }: Asked): AnalysisTable =>
  groupTable(
    "Attention before and after the attack (IoU)",
    lines.flatMap((line) => {
      const { cells, grid, random } = line.data;
      return line.study.deviation.map((groups, i): GroupRow => {
        const asked = cells[i] === wanted[i] ? "" : ` (${wanted[i]} of 8×8)`;
        return { line, of: `${cells[i]} of ${grid.join("×")}${asked}`, groups, random: random[i] as number };
      });
    }),
    "cells",
  );

export const objectTables = (lines: readonly Line[]): AnalysisTable[] => {
  const rows = (groups: (study: ObjectStudy) => BySuccess): GroupRow[] =>
    lines.flatMap((line) => (line.study.object ? [{ line, groups: groups(line.study.object) }] : []));
  return [
    groupTable(
      "Attention on the clean image and the object's box (IoU)",
      rows(({ overlap }) => overlap),
    ),
    groupTable(
      "Confidence where attention misses the object (IoU below 0.5)",
      rows(({ confidenceBelowHalf }) => confidenceBelowHalf),
    ),
  ];
};
/** Areas by superpixels: before and after the attack, and against the boxes; each only where it was measured. */
export function superpixelTables(lines: readonly Line[], { ofSuperpixels }: Asked): AnalysisTable[] {
  const rows = (groups: (area: SuperpixelStudy["areas"][number]) => BySuccess | null): GroupRow[] =>
    lines.flatMap((line) =>
      areasOf(line).flatMap((area) => {
        const found = groups(area);
        return found ? [{ line, of: plural(area.features, "superpixel"), groups: found }] : [];
      }),
    );
  return [
    groupTable(
      `${ofSuperpixels}: areas before and after the attack (IoU)`,
      rows(({ deviation }) => deviation),
      "area",
    ),
    groupTable(
      `${ofSuperpixels}: area on the clean image and the object's box (IoU)`,
      rows(({ object }) => object),
      "area",
    ),
  ].filter((table) => table.rows.length > 0);
}
export const superpixelsOf = ({ data, study }: Line): SuperpixelStudy | undefined => data.superpixels?.find(({ key }) => key === study.key);
const areasOf = (line: Line): SuperpixelStudy["areas"] => superpixelsOf(line)?.areas ?? [];
