import { Type } from "@sinclair/typebox";
import type { ParameterRole } from "../../shared/catalog.ts";
import { BulwarkError } from "../../shared/errors.ts";
import {
  type AnalysisChart,
  type AnalysisTable,
  type ChartSeries,
  type Column,
  isStaticOnly,
  type TableCell,
  wilson,
} from "../../shared/results.ts";
import { type AnalysedArm, type AnalysedAttack, defineAnalysis, type ExperimentFacts } from "../define/analysis.ts";
import { correctWithin } from "../metrics/iterations.ts";
import { share } from "../metrics/robustness.ts";
import { attackNames, explainStatic, hasStatic, labelOf, point, reportsOf, summaryOf } from "./columns.ts";

const params = Type.Object({
  iterations: Type.Array(Type.Integer({ minimum: 1, maximum: 1_000_000 }), {
    default: [10, 20, 40, 100],
    description: "Columns of the table: accuracy after so many iterations, and after all.",
  }),
});

/** Points of a line at most, beside its last. */
const resolution = 100;

/**
 * Accuracy over the iterations of each attack, read from one run of it (`correctWithin`), and a table with a row for each arm: clean, every
 * attack, those that take gradient steps after so many of them, and the worst case of each image over all attacks. Paper 2, Table 6.
 */
export const iterationCurve = defineAnalysis({
  id: "iterationCurve",
  title: "Accuracy over iterations",
  paper: "Wu et al. 2022",
  params,
  check({ iterations }, { attacks }) {
    if (iterations.length === 0 || new Set(iterations).size < iterations.length)
      throw invalid("iterations must hold each number once, and at least one", "Write for example [10, 20, 40, 100].");
    if (attacks.every((attack) => attack.iterations === null))
      throw invalid(
        "no attack of the experiment takes gradient steps without a target",
        'Add one to "attacks", such as {"kind": "pgd", "steps": 100}.',
      );
  },
  present(arms, { iterations }, facts) {
    const attacks = shownAttacks(arms, facts);
    const followed = attacks.filter(isFollowed);
    return {
      title: "Accuracy over iterations",
      charts: followed.length === 0 ? [] : [chartOf(arms, followed)],
      tables: [accuracyTable(arms, attacks, iterations), intervalTable(arms, followed, iterations)],
      notes: [
        "After k iterations an image counts as wrong when any iterate up to the k-th fooled the model: what a run of k iterations with the same step and start would report. Bands and intervals are 95 % Wilson.",
        ...followed.flatMap((attack) => stepNotes(attack, facts)),
        ...(attacks.some(({ key }) => hasStatic(reportsOf(arms), key)) ? [explainStatic] : []),
        "Worst case: right under every attack, adaptive and static; none where no attack knew the defence.",
      ],
    };
  },
});

const invalid = (message: string, fix: string): BulwarkError => new BulwarkError("PARAMETER_INVALID", `iterationCurve: ${message}.`, fix);

interface ShownAttack {
  readonly key: string;
  readonly name: string;
  /** Iterations at most; null for an attack that is not followed. */
  readonly total: number | null;
}
type FollowedAttack = ShownAttack & { readonly total: number };
const isFollowed = (attack: ShownAttack): attack is FollowedAttack => attack.total !== null;

function shownAttacks(arms: readonly AnalysedArm[], { attacks }: ExperimentFacts): ShownAttack[] {
  const reports = reportsOf(arms);
  const totals = new Map(attacks.map(({ key, iterations }) => [key, iterations]));
  return attackNames(reports).map((key) => ({ key, name: labelOf(reports, key), total: totals.get(key) ?? null }));
}

/** The numbers of iterations that a run of `total` has, and `total` itself; ascending. */
const placesOf = (iterations: readonly number[], total: number): number[] =>
  [...iterations.filter((k) => k < total), total].sort((a, b) => a - b);

/** What an attack that knows the arm did to it; undefined where none was made. */
const adaptiveOn = (arm: AnalysedArm, key: string): AnalysedAttack | undefined =>
  arm.attacks.find((attack) => attack.key === key && attack.summary.mode !== "static");

interface Shown {
  readonly column: Column;
  cell(arm: AnalysedArm): TableCell;
}

function accuracyTable(arms: readonly AnalysedArm[], attacks: readonly ShownAttack[], iterations: readonly number[]): AnalysisTable {
  const percent = (name: string, cell: Shown["cell"]): Shown => ({ column: { name, format: "percent" }, cell });
  const columns: Shown[] = [
    { column: { name: "arm", format: "text" }, cell: ({ report }) => report.name },
    { column: { name: "images", format: "count" }, cell: ({ report }) => report.clean.n },
    percent("clean", ({ report }) => report.clean.accuracy),
    ...attacks.flatMap((attack) => [
      ...(isFollowed(attack)
        ? placesOf(iterations, attack.total).map((k) =>
            percent(`${attack.name}, ${k} iterations`, (arm) => accuracyAfter(arm, attack.key, k)),
          )
        : [percent(attack.name, (arm) => adaptiveOn(arm, attack.key)?.summary.attacked.accuracy ?? null)]),
      ...(hasStatic(reportsOf(arms), attack.key)
        ? [percent(`${attack.name}, static`, ({ report }) => summaryOf(report, attack.key)?.static?.attacked.accuracy ?? null)]
        : []),
    ]),
    percent("worst case", ({ report }) => (isStaticOnly(report.attacks) ? null : (report.worst?.accuracy ?? null))),
  ];
  return {
    title: "Accuracy",
    columns: columns.map(({ column }) => column),
    rows: arms.map((arm) => columns.map(({ cell }) => cell(arm))),
  };
}

function accuracyAfter(arm: AnalysedArm, key: string, k: number): number | null {
  const attack = adaptiveOn(arm, key);
  return attack ? share(correctWithin(attack.records, k), attack.records.length) : null;
}

function intervalTable(arms: readonly AnalysedArm[], attacks: readonly FollowedAttack[], iterations: readonly number[]): AnalysisTable {
  const rows = arms.flatMap((arm) =>
    attacks.flatMap(({ key, name, total }) =>
      placesOf(iterations, total).flatMap((k): TableCell[][] => {
        const records = adaptiveOn(arm, key)?.records;
        if (!records) return [];
        const correct = correctWithin(records, k);
        const [low, high] = wilson(correct, records.length) ?? [null, null];
        return [[arm.report.name, name, k, share(correct, records.length), low, high]];
      }),
    ),
  );
  const columns: Column[] = [
    { name: "arm", format: "text" },
    { name: "attack", format: "text" },
    { name: "iterations", format: "count" },
    { name: "accuracy", format: "percent" },
    { name: "from", format: "percent" },
    { name: "to", format: "percent" },
  ];
  return { title: "With 95 % intervals", columns, rows };
}

/** One line for each arm and attack: an arm's second attack is dashed; of more than two, each line has a colour of its own. */
function chartOf(arms: readonly AnalysedArm[], attacks: readonly FollowedAttack[]): AnalysisChart {
  const isPaired = attacks.length <= 2;
  const series = arms.flatMap((arm, place) =>
    attacks.flatMap(({ key, name, total }, i): ChartSeries[] => {
      const records = adaptiveOn(arm, key)?.records;
      if (!records) return [];
      const every = Math.ceil(total / resolution);
      const places = [...Array(Math.ceil(total / every)).keys()].map((at) => at * every);
      return [
        {
          label: attacks.length === 1 ? arm.report.name : `${arm.report.name}, ${name}`,
          colour: isPaired ? place : place * attacks.length + i,
          ...(isPaired && i === 1 ? { isDashed: true } : {}),
          points: [...places, total].map((k) => point(k, correctWithin(records, k), records.length)),
        },
      ];
    }),
  );
  const [only] = attacks.length === 1 ? attacks : [];
  return {
    title: `Accuracy over the iterations of ${only?.name ?? "each attack"}`,
    x: { label: "iterations", format: "count" },
    y: { label: "accuracy", format: "percent", range: [0, 1] },
    series,
  };
}

/** Where k iterations of this run are not what a run of k would be, and how restarts are counted. */
function stepNotes({ key, name, total }: FollowedAttack, { attacks, attackParams }: ExperimentFacts): string[] {
  const attack = attacks.find((one) => one.key === key);
  if (!attack) return [];
  const schema = attackParams(attack.id).properties;
  const roleOf = (role: ParameterRole): unknown => {
    const found = Object.entries(schema).find(([, property]) => property["role"] === role);
    return found && (attack.params[found[0]] ?? found[1]["default"]);
  };
  const steps = roleOf("steps");
  return [
    ...(roleOf("step") === 0
      ? [
          `${name}: its step follows from the number of all its iterations. A run of fewer would take longer steps; a "stepSize" makes both the same.`,
        ]
      : []),
    ...(typeof steps === "number" && steps < total
      ? [`${name}: ${total / steps} attempts of ${steps} iterations each, counted one after the other.`]
      : []),
  ];
}
