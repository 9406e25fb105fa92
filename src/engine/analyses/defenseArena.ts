import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import type { BarFigure, ScatterFigure } from "../../shared/figures/figure.ts";
import { percent } from "../../shared/format.ts";
import { suggestion } from "../../shared/nearest.ts";
import type { AnalysisTable, Column, Rate, TableCell } from "../../shared/results.ts";
import { type AnalysedArm, defineAnalysis } from "../define/analysis.ts";
import { int, text } from "../define/index.ts";
import { pictureFigures, picturesOf } from "./arenaPictures.ts";
import { paretoFront, type Share, type Standing, standingOf } from "./arenaStandings.ts";
import { explainStatic } from "./columns.ts";

/**
 * Many defences in front of one network, or any arms at all: what each costs without an attack and in time, and what the worst attack of the
 * experiment leaves (Naseer et al. 2019, Tables 1 to 3, Figures 1 to 4).
 */
export const defenseArena = defineAnalysis({
  id: "defenseArena",
  title: "Defence arena",
  paper: "Naseer et al. 2019",
  params: Type.Object({
    images: int(1, "Show the first so many images behind every defence; 0 for none.", { min: 0, max: 16, unit: "images" }),
    attack: text("", "Attack whose images are shown, by its id or key; the first of the experiment when left out."),
  }),
  check({ attack }, { attacks }) {
    if (attack === "" || attacks.some(({ key }) => key === attack)) return;
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `defenseArena: the experiment has no attack "${attack}".`,
      suggestion(
        attack,
        attacks.map(({ key }) => key),
        "It has",
      ),
    );
  },
  measure: (subject, { images, attack }, ctx) =>
    picturesOf(subject, { images, attackKey: attack || (subject.attacks[0]?.key ?? null) }, ctx),
  present(arms, { attack }) {
    const standings = arms.map(standingOf);
    const shown = arms[0]?.attacks.find(({ key }) => attack === "" || key === attack)?.summary;
    const byClean = frontOf(standings, ({ clean }) => clean.accuracy, "more");
    const byTime = frontOf(standings, ({ milliseconds }) => milliseconds, "less");
    return {
      title: "Defence arena",
      charts: [],
      figures: [
        ...scatter("Accuracy under attack over accuracy without it", accuracyAxis, standings, ({ clean }) => clean.accuracy, byClean),
        ...scatter("Accuracy under attack over time", timeAxis, standings, ({ milliseconds }) => milliseconds, byTime),
        ...timeBars(standings),
        ...pictureFigures(arms, shown?.label ?? null),
      ],
      tables: [standingsTable(standings, byClean), ...staticTable(arms), ...successTable(arms)],
      notes: [
        "Under attack counts, for each image, the strongest attack of the experiment, adaptive or static. Hollow: static attacks alone.",
        "The dashed line joins the arms that no other arm beats in both respects.",
        explainStatic,
      ],
    };
  },
});

const accuracyAxis: ScatterFigure["x"] = { label: "Accuracy without attack", format: "percent" };
const timeAxis: ScatterFigure["x"] = { label: "Time of an image, median", unit: "ms", format: "milliseconds", scale: "log" };

type Measure = (standing: Standing) => number | null;

const frontOf = (standings: readonly Standing[], x: Measure, prefers: "more" | "less"): boolean[] =>
  paretoFront(
    standings.map((standing) => ({ x: x(standing), y: standing.worst?.accuracy ?? null })),
    prefers,
  );

/** A numbered point for every arm; hollow ones show what static attacks leave. None where nothing was attacked or timed. */
function scatter(
  title: string,
  axis: ScatterFigure["x"],
  standings: readonly Standing[],
  x: Measure,
  isOnFront: readonly boolean[],
): ScatterFigure[] {
  const series = standings.map((standing, i) => {
    const at = x(standing);
    const worst = standing.worst?.accuracy ?? null;
    const point = (y: number | null, isHollow: boolean): ScatterFigure["series"][number]["points"] =>
      at === null || y === null ? [] : [{ x: at, y, label: isHollow ? `${standing.name}, static` : standing.name, isHollow }];
    const isStaticOnly = standing.adaptive === null;
    const points = isStaticOnly ? point(worst, true) : [...point(worst, false), ...point(standing.static, true)];
    return { label: standing.name, colour: isOnFront[i] ? 0 : 1, points };
  });
  if (series.every(({ points }) => points.length === 0)) return [];
  const front = standings.flatMap((standing, i) => {
    const [at, y] = [x(standing), standing.worst?.accuracy ?? null];
    return isOnFront[i] && at !== null && y !== null ? [{ x: at, y }] : [];
  });
  const y = { label: "Accuracy under the worst attack of each image", format: "percent" } as const;
  return [{ kind: "scatter", title, x: axis, y, series, isNumbered: true, front }];
}

/** Paper 1, Figure 3. */
function timeBars(standings: readonly Standing[]): BarFigure[] {
  const timed = standings.filter(({ milliseconds }) => milliseconds !== null);
  if (timed.length === 0) return [];
  const bars = (label: string, colour: number, value: Measure) => ({
    label,
    colour,
    values: timed.map((standing) => {
      const y = value(standing);
      return y === null ? null : { y };
    }),
  });
  const figure: BarFigure = {
    kind: "bar",
    title: "Time of an image",
    value: { label: "Median", unit: "ms", format: "milliseconds", scale: "log" },
    groups: { label: "arm", names: timed.map(({ name }) => name) },
    series: [
      bars("Defence in front alone", 1, ({ frontMilliseconds }) => frontMilliseconds),
      bars("With the network", 0, ({ milliseconds }) => milliseconds),
    ],
  };
  return [figure];
}

const textColumn = (name: string): Column => ({ name, format: "text" });
const percentColumn = (name: string): Column => ({ name, format: "percent" });

const intervalText = (share: Share | null): string | null =>
  share?.interval ? `${percent(share.interval[0])}–${percent(share.interval[1])}` : null;

function standingsTable(standings: readonly Standing[], isOnFront: readonly boolean[]): AnalysisTable {
  const interval = textColumn("95 % interval");
  return {
    title: "Defences compared",
    columns: [
      textColumn("arm"),
      { name: "no.", format: "count" },
      percentColumn("without attack"),
      interval,
      percentColumn("worst case"),
      interval,
      textColumn("strongest attack"),
      percentColumn("adaptive"),
      percentColumn("static"),
      { name: "defence alone", format: "milliseconds" },
      { name: "with the network", format: "milliseconds" },
      textColumn("unbeaten"),
    ],
    rows: standings.map((one, i): TableCell[] => [
      one.name,
      i + 1,
      one.clean.accuracy,
      intervalText(one.clean),
      one.worst?.accuracy ?? null,
      intervalText(one.worst),
      one.strongest,
      one.adaptive,
      one.static,
      one.frontMilliseconds,
      one.milliseconds,
      isOnFront[i] ? "yes" : "",
    ]),
  };
}

/** Paper 1, Tables 1 and 2: a row for every arm, a column for every attack. */
function staticTable(arms: readonly AnalysedArm[]): AnalysisTable[] {
  const rate = ({ report }: AnalysedArm, key: string): Rate | null => {
    const summary = report.attacks.find((one) => one.key === key);
    if (!summary) return null;
    const isOwn = report.defense.id === "standard" || summary.mode === "static";
    return summary.static?.attacked ?? (isOwn ? summary.attacked : null);
  };
  return attackTable(arms, "Accuracy under images made without the defence", {
    first: [percentColumn("no attack"), ({ report }) => report.clean.accuracy],
    cell: (arm, key) => rate(arm, key)?.accuracy ?? null,
  });
}

/** Paper 1, Table 3: how often the attack that knows the defence reaches what it aims at, with the same targets, places and seeds for all. */
function successTable(arms: readonly AnalysedArm[]): AnalysisTable[] {
  return attackTable(arms, "Success of attacks that know the defence (lower is better)", {
    first: null,
    cell({ report }, key) {
      const summary = report.attacks.find((one) => one.key === key);
      return summary && summary.mode !== "static" ? (summary.targetRate ?? summary.successRate) : null;
    },
  });
}

interface AttackColumns {
  readonly first: readonly [Column, (arm: AnalysedArm) => TableCell] | null;
  cell(arm: AnalysedArm, key: string): TableCell;
}

/** Attacks for which no arm has a value take no column; none at all, no table. */
function attackTable(arms: readonly AnalysedArm[], title: string, { first, cell }: AttackColumns): AnalysisTable[] {
  const attacks = (arms[0]?.attacks ?? []).filter(({ key }) => arms.some((arm) => cell(arm, key) !== null));
  if (attacks.length === 0) return [];
  const columns = [
    textColumn("arm"),
    ...(first ? [first[0]] : []),
    ...attacks.map(({ key, summary }) => percentColumn(summary.label ?? key)),
  ];
  const rows = arms.map((arm) => [arm.report.name, ...(first ? [first[1](arm)] : []), ...attacks.map(({ key }) => cell(arm, key))]);
  return [{ title, columns, rows }];
}
