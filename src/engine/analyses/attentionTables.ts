import type { BoxFigure } from "../../shared/figures/figure.ts";
import { plural } from "../../shared/format.ts";
import type { AnalysisTable, Column, TableCell } from "../../shared/results.ts";
import type { AnalysedArm, Presentation } from "../define/analysis.ts";
import { differenceOf, type Mean } from "../metrics/means.ts";
import { type AttackStudy, type BySuccess, type Group, middleOf, type ObjectStudy, type StudyData } from "./attentionOverlap.ts";
import { labelOf, reportsOf } from "./columns.ts";

/** One attack on one arm. */
interface Line {
  readonly arm: string;
  readonly attack: string;
  readonly data: StudyData;
  readonly study: AttackStudy;
}
interface Asked {
  /** Of the explanation. */
  readonly title: string;
  /** Numbers of cells on the paper's grid. */
  readonly wanted: readonly number[];
}

export function presentStudy(arms: readonly AnalysedArm[], asked: Asked): Presentation {
  const reports = reportsOf(arms);
  const lines = arms.flatMap(({ report, data }) => {
    const study = data as StudyData | null;
    return (study?.attacks ?? []).map((attack) => ({
      arm: report.name,
      attack: labelOf(reports, attack.key),
      data: study as StudyData,
      study: attack,
    }));
  });
  const withObjects = lines.filter(({ study }) => study.object !== null);
  return {
    title: "Attention under attack",
    charts: [],
    figures: [...deviationBoxes(lines, asked), ...objectBoxes(withObjects)],
    tables: [deviationTable(lines, asked), ...(withObjects.length > 0 ? objectTables(withObjects) : [])],
    notes: [...explanations(lines, asked), ...whatIsMissing(lines, asked)],
  };
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

const deviationTable = (lines: readonly Line[], { wanted }: Asked): AnalysisTable =>
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

const objectTables = (lines: readonly Line[]): AnalysisTable[] => {
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
const none: BySuccess = { succeeded: null, failed: null };

const iouAxis: BoxFigure["value"] = { label: "IoU", format: "number", range: [0, 1] };

/** A figure for each attack: every number of cells where there is one arm, the middle one of the list where there are more. */
function deviationBoxes(lines: readonly Line[], { wanted }: Asked): BoxFigure[] {
  const isSingle = new Set(lines.map(({ arm }) => arm)).size === 1;
  const shown = isSingle ? wanted : [middleOf(wanted)];
  return [...new Set(lines.map(({ attack }) => attack))].map((attack) => ({
    kind: "box",
    title: `Attention before and after ${attack}${isSingle ? "" : `, ${middleOf(wanted)} cells of 64`}`,
    value: { ...iouAxis, label: "IoU of the two attention areas" },
    boxes: lines
      .filter((line) => line.attack === attack)
      .flatMap((line) =>
        shown.flatMap((k) => {
          const groups = line.study.deviation[wanted.indexOf(k)] ?? none;
          return boxesOf(isSingle ? `${line.data.cells[wanted.indexOf(k)]} cells` : line.arm, groups);
        }),
      ),
  }));
}

const objectBoxes = (lines: readonly Line[]): BoxFigure[] =>
  [...new Set(lines.map(({ attack }) => attack))].map((attack) => ({
    kind: "box",
    title: `Attention and the object's box, by what ${attack} does`,
    value: { ...iouAxis, label: "IoU of attention and box" },
    boxes: lines.filter((line) => line.attack === attack).flatMap(({ arm, study }) => boxesOf(arm, study.object?.overlap ?? none)),
  }));

const boxesOf = (name: string, { succeeded, failed }: BySuccess): BoxFigure["boxes"][number][] => [
  ...boxOf(`${name}, succeeded`, succeeded, 0),
  ...boxOf(`${name}, failed`, failed, 1),
];
const boxOf = (label: string, group: Group | null, colour: number): BoxFigure["boxes"][number][] =>
  group ? [{ label, colour, n: group.n, ...group.box }] : [];

function explanations(lines: readonly Line[], { title }: Asked): string[] {
  const layers = [...new Set(lines.map(({ arm, data: { layer, grid } }) => `${arm}: ${layer ?? "the picture"}, ${grid.join("×")} cells`))];
  const averaged = [...new Set(lines.filter(({ data }) => data.isAveraged).map(({ arm }) => arm))];
  return [
    `${title}, each image on the class that is predicted for it. Only images that are right without the attack count. The attack succeeded where the prediction is another class than the label. There the two maps are of two classes, so part of what they differ by is the change of class itself.`,
    "Means with half the width of their 95 % interval (normal approximation; the difference by Welch). IoU: common part of two areas of equal size as a share of both together. Random areas: what areas of as many cells, drawn at random, would share.",
    `Maps are compared on a grid: ${layers.join("; ")}.`,
    ...(averaged.length > 0
      ? [
          `${averaged.join(", ")}: no layer has a grid of the whole picture (a volumized network has one for each slice, in an order that changes from image to image), so the map of the picture is averaged over the grid.`,
        ]
      : []),
  ];
}

/** What was left out of each line, and where ties at zero decide. */
function whatIsMissing(lines: readonly Line[], { wanted }: Asked): string[] {
  return lines.flatMap(({ arm, attack, data, study }) => {
    const { degenerate, object, deviation } = study;
    const where = `${arm}, ${attack}`;
    const zero = degenerate.clean.length + degenerate.adversarial.length;
    const sparse = deviation.flatMap(({ sparse: n }, i) => (n > 0 ? [`${n} with ${data.cells[i] ?? wanted[i]} cells`] : []));
    return [
      ...(zero > 0
        ? [
            `${where}: left out because the map is zero everywhere: ${degenerate.clean.length} clean and ${plural(degenerate.adversarial.length, "attacked image")}.`,
          ]
        : []),
      ...(sparse.length > 0
        ? [
            `${where}: images on which a map has fewer cells above zero than the area has: ${sparse.join(", ")}. The rest of the area is filled from the top left in both maps, which makes their IoU larger.`,
          ]
        : []),
      ...(object && object.withoutBox > 0
        ? [`${where}: ${plural(object.withoutBox, "image")} without a box of the label left out of the tables about objects.`]
        : []),
    ];
  });
}
