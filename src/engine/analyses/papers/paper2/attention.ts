import type { AnalysisTable, Column, TableCell } from "../../../../shared/results.ts";
import type { AnalysedArm } from "../../../define/analysis.ts";
import type { BySuccess } from "../../attentionGroups.ts";
import type { AttackStudy, StudyData } from "../../attentionOverlap.ts";
import type { SuperpixelStudy } from "../../attentionSuperpixels.ts";
import { labelOf } from "../../columns.ts";
import { type Printed, table1, table2, table3, table4, table5 } from "./printed.ts";

/** A study of the run: of the paper's attack, single steps towards the least likely class, where there is one; else the first. */
interface Found {
  readonly arm: AnalysedArm;
  readonly data: StudyData;
  readonly study: AttackStudy;
}
function studyIn(arms: readonly AnalysedArm[]): Found | null {
  const found = arms.flatMap((arm) => {
    const data = arm.report.analyses.find(({ id }) => id === "attentionStudy")?.data as StudyData | null | undefined;
    return data ? data.attacks.map((study) => ({ arm, data, study })) : [];
  });
  const isStepLL = ({ arm, study }: Found): boolean =>
    arm.attacks.some(({ key, summary }) => key === study.key && summary.attack.id === "stepLL");
  return found.find(isStepLL) ?? found[0] ?? null;
}

type Row = readonly [place: string, figure: string, outcome: "succeeded" | "failed", ours: number | null, printed: number];

/** Tables 1 to 5 beside the first study of the experiment: shares and confidences in percent, and IoU. */
export function attentionTables(arms: readonly AnalysedArm[]): AnalysisTable[] {
  const found = studyIn(arms);
  if (!found) return [];
  const { arm, study } = found;
  const of = `${labelOf([arm.report], study.key)} on ${arm.report.name}`;
  return [
    tableOf(`Tables 1 and 2: shares and confidence, ${of}`, "percent", shares(found)),
    tableOf(`Tables 1 and 3 to 5: IoU, ${of}`, "number", overlaps(found)),
  ];
}

function tableOf(title: string, format: "percent" | "number", rows: readonly Row[]): AnalysisTable {
  const text = (name: string): Column => ({ name, format: "text" });
  return {
    title,
    columns: [
      text("place"),
      text("figure"),
      text("attack"),
      { name: "ours", format },
      { name: "the paper's", format },
      { name: "difference", format: format === "percent" ? "difference" : format },
    ],
    rows: rows.flatMap(([place, figure, outcome, ours, printed]): TableCell[][] =>
      ours === null ? [] : [[place, figure, outcome, ours, printed, ours - printed]],
    ),
  };
}

const outcomes = ["succeeded", "failed"] as const;

function shares({ study: { object } }: Found): Row[] {
  if (!object) return [];
  const share = (groups: BySuccess, outcome: (typeof outcomes)[number]): number | null => {
    const n = (groups.succeeded?.n ?? 0) + (groups.failed?.n ?? 0);
    return n === 0 ? null : (groups[outcome]?.n ?? 0) / n;
  };
  return outcomes.flatMap((outcome): Row[] => [
    ["Table 1", "share of the images", outcome, share(object.overlap, outcome), table1.share[outcome] / 100],
    ["Table 2", "share of the images with IoU below 0.5", outcome, share(object.confidenceBelowHalf, outcome), table2.share[outcome] / 100],
    ["Table 2", "their confidence", outcome, object.confidenceBelowHalf[outcome]?.mean ?? null, table2.confidence[outcome] / 100],
  ]);
}

function overlaps({ data, study }: Found): Row[] {
  const { wanted } = data;
  return outcomes.flatMap((outcome): Row[] => [
    ...(study.object
      ? [["Table 1", "attention and object", outcome, study.object.overlap[outcome]?.mean ?? null, table1.overlap[outcome]] as const]
      : []),
    ...Object.entries(table3).map(([cells, printed]): Row => {
      const ours = study.deviation[wanted.indexOf(Number(cells))]?.[outcome]?.mean ?? null;
      return ["Table 3", `before and after, ${cells} cells of 64`, outcome, ours, printed[outcome]];
    }),
    ...bySuperpixels({ data, study }, "Table 4", table4, ({ object }) => object?.[outcome]?.mean ?? null, outcome),
    ...bySuperpixels({ data, study }, "Table 5", table5, ({ deviation }) => deviation[outcome]?.mean ?? null, outcome),
  ]);
}

const what = { "Table 4": "LIME and object", "Table 5": "LIME before and after" } as const;

/** Rows of a table about LIME, by the number of its features. */
const bySuperpixels = (
  { data, study }: Pick<Found, "data" | "study">,
  place: keyof typeof what,
  table: Readonly<Record<number, Printed>>,
  ours: (area: SuperpixelStudy["areas"][number]) => number | null,
  outcome: (typeof outcomes)[number],
): Row[] =>
  Object.entries(table).map(([features, printed]): Row => {
    const areas = data.superpixels?.find(({ key }) => key === study.key)?.areas ?? [];
    const area = areas.find((one) => one.features === Number(features));
    return [place, `${what[place]}, ${features} features`, outcome, area ? ours(area) : null, printed[outcome]];
  });
