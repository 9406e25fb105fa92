import type { BoxFigure } from "../../shared/figures/figure.ts";
import { plural } from "../../shared/format.ts";
import type { AnalysedArm, Presentation } from "../define/analysis.ts";
import type { BySuccess, Group } from "./attentionGroups.ts";
import { middleOf, type StudyData } from "./attentionOverlap.ts";
import { type Asked, deviationTable, type Line, objectTables, superpixelsOf, superpixelTables } from "./attentionTables.ts";
import { labelOf, reportsOf } from "./columns.ts";

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
    tables: [deviationTable(lines, asked), ...(withObjects.length > 0 ? objectTables(withObjects) : []), ...superpixelTables(lines, asked)],
    notes: [...explanations(lines, asked), ...whatIsMissing(lines, asked)],
  };
}

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

function explanations(lines: readonly Line[], { title, ofSuperpixels }: Asked): string[] {
  const layers = [...new Set(lines.map(({ arm, data: { layer, grid } }) => `${arm}: ${layer ?? "the picture"}, ${grid.join("×")} cells`))];
  const averaged = [...new Set(lines.filter(({ data }) => data.isAveraged).map(({ arm }) => arm))];
  return [
    `${title}, each image on the class that is predicted for it. Only images that are right without the attack count. The attack succeeded where the prediction is another class than the label. There the two maps are of two classes, so part of what they differ by is the change of class itself.`,
    "Means with half the width of their 95 % interval (normal approximation; the difference by Welch). IoU: common part of two areas of equal size as a share of both together. Random areas: what areas of as many cells, drawn at random, would share.",
    ...(lines.some((line) => superpixelsOf(line))
      ? [
          `${ofSuperpixels}: the area is the superpixels of the largest positive weights, as many as the table says, or all where there are fewer. Areas differ in size.`,
        ]
      : []),
    `Maps are compared on a grid: ${layers.join("; ")}.`,
    ...(averaged.length > 0
      ? [
          `${averaged.join(", ")}: no layer has a grid of the whole picture (a volumized network has one for each slice, in an order that changes from image to image), so the map of the picture is averaged over the grid.`,
        ]
      : []),
  ];
}

/** What was left out of each line, and where ties at zero decide. */
function whatIsMissing(lines: readonly Line[], { wanted, ofSuperpixels }: Asked): string[] {
  return lines.flatMap((line) => {
    const { arm, attack, data, study } = line;
    const without = superpixelsOf(line)?.degenerate ?? 0;
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
      ...(without > 0
        ? [
            `${where}: left out of ${ofSuperpixels}: ${plural(without, "image")} without a superpixel of positive weight before or after the attack.`,
          ]
        : []),
      ...(object && object.withoutBox > 0
        ? [
            `${where}: ${plural(object.withoutBox, "image")} without a box of the label inside the picture left out of the tables about objects.`,
          ]
        : []),
      ...(object && object.outside.boxes > 0
        ? [
            `${where}: ${plural(object.outside.boxes, "box", "boxes")} of ${plural(object.outside.images, "image")} outside the picture as the model sees it (cropped away, or annotated so), passed over.`,
          ]
        : []),
    ];
  });
}
