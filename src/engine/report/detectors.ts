import { percent } from "../../shared/format.ts";
import { choiceLabel } from "../../shared/labels.ts";
import type { AnalysisResult, AnalysisTable, ArmReport, Column, TableCell } from "../../shared/results.ts";
import { inertTexts, keptText } from "../../shared/sampledUnits.ts";
import { attackOf, type DetectedRow, detectedRows, rocCharts } from "../analyses/detectorCurves.ts";

/** How well the experiment's detectors tell attacked images from clean ones, over all arms; nothing where it has none. */
export function detectorSection(arms: readonly ArmReport[]): AnalysisResult[] {
  const rows = detectedRows(arms);
  if (rows.length === 0) return [];
  return [
    {
      id: "detectors",
      params: {},
      title: "Detectors",
      charts: rocCharts(rows, { apart: "attack", axis: "linear" }),
      tables: [areaTable(rows), ...rateTables(rows)],
      notes: notesOf(rows),
    },
  ];
}

const leading: readonly Column[] = ["arm", "detector", "attack", "the attack"].map((name) => ({ name, format: "text" }));
const leadingCells = (row: DetectedRow): TableCell[] => [
  row.arm.name,
  choiceLabel(row.detector),
  attackOf(row),
  row.found.adaptive ? "evades it" : "does not know it",
];

const areaTable = (rows: readonly DetectedRow[]): AnalysisTable => ({
  title: "Attacked images told from clean ones",
  columns: [
    ...leading,
    { name: "images", format: "count" },
    { name: "that fool it", format: "count" },
    { name: "area under ROC", format: "number" },
    { name: "95 % from", format: "number" },
    { name: "to", format: "number" },
    { name: "attacked flagged", format: "percent" },
    { name: "clean flagged", format: "percent" },
    { name: "area, those that fool it", format: "number" },
  ],
  rows: rows.map((row) => {
    const { n, auc, interval, detected, fooling } = row.found;
    const area = [auc, interval?.[0] ?? null, interval?.[1] ?? null];
    return [...leadingCells(row), n, fooling?.n ?? null, ...area, detected, row.detector.flaggedClean, fooling?.auc ?? null];
  }),
});

/** What is detected at fixed rates of false alarms; nothing in reports of earlier versions. */
function rateTables(rows: readonly DetectedRow[]): AnalysisTable[] {
  const rates = rows.map(({ found }) => found.atRates ?? []).find(({ length }) => length > 0) ?? [];
  if (rates.length === 0) return [];
  const columns = rates.flatMap(({ falsePositiveRate }): Column[] => [
    { name: `at ${percent(falsePositiveRate, 0)} of clean`, format: "percent" },
    { name: "95 % from", format: "percent" },
    { name: "to", format: "percent" },
  ]);
  const cells = ({ found: { atRates = [] } }: DetectedRow): TableCell[] =>
    rates.flatMap((_, i) => {
      const { detected = null, interval = [null, null] } = atRates[i] ?? {};
      return [detected, ...interval];
    });
  return [
    {
      title: "Attacked images flagged where so many clean ones may be",
      columns: [...leading, ...columns],
      rows: rows.map((row) => [...leadingCells(row), ...cells(row)]),
    },
  ];
}

function notesOf(rows: readonly DetectedRow[]): string[] {
  const notes = new Set<string>();
  for (const { detector, arm } of rows) {
    const name = choiceLabel(detector);
    if (detector.positives)
      notes.add(
        `${name} on ${arm.name}: ${detector.cleanImages} clean images count, those that are classified correctly, and ${detector.positives === "all" ? "all that attacks made of them" : "what attacks made of them where it fools the model"}.`,
      );
    if (detector.threshold === null) notes.add(`${name} has no threshold: the data have no validation images. Its area needs none.`);
    else
      notes.add(
        `${name} on ${arm.name}: the threshold flags at most ${100 * detector.falsePositiveRate} % of ${detector.thresholdImages} validation images.`,
      );
    if (detector.units) notes.add(`${name} on ${arm.name}, in a pass: ${detector.units.map(keptText).join("; ")}.`);
    for (const text of inertTexts(detector.units ?? [])) notes.add(text);
    if (!detector.results.some(({ adaptive }) => adaptive))
      notes.add(
        `No attack of this experiment could be made to evade ${name}: the figures show only how it meets attacks that do not know it.`,
      );
  }
  return [...notes, ...harmlessNotes(rows), ...rateNotes(rows)];
}

/** An attack that evades a detector may do so with images that fool nobody. */
function harmlessNotes(rows: readonly DetectedRow[]): string[] {
  return rows.flatMap((row) => {
    const { adaptive, n, fooling } = row.found;
    if (!adaptive || !fooling || fooling.n >= n / 2) return [];
    const left = fooling.n === 0 ? "none fools the model" : fooling.n === 1 ? "1 fools the model" : `${fooling.n} fool the model`;
    return [
      `${attackOf(row)} on ${row.arm.name}, made to evade ${choiceLabel(row.detector)}: of ${n} images ${left}. The others do no harm, and the area counts them as missed: it does not show that the detector is beaten. An attack on the margin with more steps may do both.`,
    ];
  });
}

/** Few images tell small rates badly. */
function rateNotes(rows: readonly DetectedRow[]): string[] {
  const rates = rows.flatMap(({ found }) => found.atRates ?? []).map(({ falsePositiveRate }) => falsePositiveRate);
  const fewest = Math.min(...rows.map(({ detector }) => detector.cleanImages ?? Number.POSITIVE_INFINITY));
  if (rates.length === 0) return [];
  const said =
    "Rates at a fixed share of clean images are read from the curve of the test images; the columns “flagged” use the threshold of the validation images.";
  const coarse = rates.filter((rate) => rate * fewest < 1);
  if (coarse.length === 0) return [said];
  return [
    said,
    `With ${fewest} clean images, ${percent(Math.max(...coarse), 0)} of them is less than one: the rate there is that without any.`,
  ];
}
