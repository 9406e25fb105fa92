import { attackLabel, choiceLabel } from "../../shared/labels.ts";
import { keysOf } from "../../shared/ledger.ts";
import type {
  AnalysisChart,
  AnalysisResult,
  AnalysisTable,
  ArmReport,
  ChartSeries,
  DetectedAttack,
  DetectorResult,
} from "../../shared/results.ts";
import { inertTexts, keptText } from "../../shared/sampledUnits.ts";

interface Row {
  readonly arm: ArmReport;
  readonly detector: DetectorResult;
  readonly found: DetectedAttack;
}

/** How well the experiment's detectors tell attacked images from clean ones, over all arms; nothing where it has none. */
export function detectorSection(arms: readonly ArmReport[]): AnalysisResult[] {
  const rows = arms.flatMap((arm) => arm.detectors.flatMap((detector) => detector.results.map((found): Row => ({ arm, detector, found }))));
  if (rows.length === 0) return [];
  const attacks = [...new Set(rows.map(({ found }) => found.attack))];
  const title = "Detectors";
  return [
    {
      id: "detectors",
      params: {},
      title,
      charts: attacks.map((attack) => chartOf(attack, rows)),
      tables: [tableOf(rows)],
      notes: notesOf(rows),
    },
  ];
}

/** What the arm's report calls an attack. */
function nameOf(attack: string, { attacks, ...arm }: ArmReport): string {
  const summary = attacks[keysOf({ ...arm, attacks }).indexOf(attack)];
  return summary ? attackLabel(summary) : attack;
}

const knowledge = (isAdaptive: boolean): string => (isAdaptive ? "evades it" : "does not know it");

function tableOf(rows: readonly Row[]): AnalysisTable {
  return {
    title: "Attacked images told from clean ones",
    columns: [
      { name: "arm", format: "text" },
      { name: "detector", format: "text" },
      { name: "attack", format: "text" },
      { name: "the attack", format: "text" },
      { name: "images", format: "count" },
      { name: "area under ROC", format: "number" },
      { name: "95 % from", format: "number" },
      { name: "to", format: "number" },
      { name: "attacked flagged", format: "percent" },
      { name: "clean flagged", format: "percent" },
    ],
    rows: rows.map(({ arm, detector, found }) => [
      arm.name,
      choiceLabel(detector),
      nameOf(found.attack, arm),
      knowledge(found.adaptive),
      found.n,
      found.auc,
      found.interval?.[0] ?? null,
      found.interval?.[1] ?? null,
      found.detected,
      detector.flaggedClean,
    ]),
  };
}

function chartOf(attack: string, rows: readonly Row[]): AnalysisChart {
  const meant = rows.filter(({ found }) => found.attack === attack);
  const pairs = [...new Set(meant.map(({ arm, detector }) => `${arm.name} ${detector.key}`))];
  return {
    title: `ROC of detectors under ${nameOf(attack, (meant[0] as Row).arm)}`,
    x: { label: "share of clean images flagged", format: "number", range: [0, 1] },
    y: { label: "share of attacked images flagged", format: "number", range: [0, 1] },
    series: meant.map(
      ({ arm, detector, found }): ChartSeries => ({
        label: `${arm.name}, ${choiceLabel(detector)}${found.adaptive ? ", evaded" : ""}`,
        colour: pairs.indexOf(`${arm.name} ${detector.key}`),
        ...(found.adaptive ? {} : { isDashed: true }),
        points: found.points.map(({ falsePositiveRate, truePositiveRate }) => ({ x: falsePositiveRate, y: truePositiveRate })),
      }),
    ),
  };
}

function notesOf(rows: readonly Row[]): string[] {
  const notes = new Set<string>();
  for (const { detector, arm } of rows) {
    const name = choiceLabel(detector);
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
  return [...notes];
}
