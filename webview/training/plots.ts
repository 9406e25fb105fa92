import { capital } from "../../src/shared/format.ts";
import { type Axes, type Line, type Mark, type Plot, smooth } from "../lib/plot.ts";
import type { ArmSeries, Summary } from "./series.ts";

export interface ChartSettings {
  readonly log: boolean;
  /** Weight of the moving average, 0…0.99. */
  readonly smoothing: number;
}
type Values = ReadonlyMap<number, number | null>;
interface Named {
  readonly label: string;
  readonly colour: number;
  readonly kind: number;
  readonly values: Values;
  readonly faint?: boolean;
}

/** Puts lines with different places on the x axis beside each other: what a line does not have at a place is null. */
export function align(named: readonly Named[]): { x: number[]; lines: Line[] } {
  const x = [...new Set(named.flatMap((n) => [...n.values.keys()]))].sort((a, b) => a - b);
  const lines = named.map((n) => ({
    label: n.label,
    colour: n.colour,
    // Same arm, same colour; the further figures of an arm are dashed.
    ...(n.kind > 0 ? { isDashed: true } : {}),
    ...(n.faint ? { faint: true } : {}),
    y: x.map((at) => n.values.get(at) ?? null),
  }));
  return { x, lines };
}

const finite = (value: number | null): number | null => (value !== null && Number.isFinite(value) ? value : null);

function smoothed(values: Values, weight: number): Values {
  const places = [...values.keys()];
  const y = smooth([...values.values()], weight);
  return new Map(places.map((at, i) => [at, y[i] ?? null]));
}

export function lossPlot(summary: Summary, settings: ChartSettings): readonly [Axes, Plot] {
  const named = summary.arms.flatMap((arm, colour): Named[] => {
    const raw = trainLoss(arm);
    const validation = new Map(arm.epochs.map((e) => [e.epoch, finite(e.validationLoss)]));
    const lines: Named[] = [];
    if (settings.smoothing > 0 && raw.size > 0)
      lines.push({ label: `${arm.name} training, unsmoothed`, colour, kind: 0, values: raw, faint: true });
    lines.push({ label: `${arm.name} training`, colour, kind: 0, values: smoothed(raw, settings.smoothing) });
    lines.push({ label: `${arm.name} validation`, colour, kind: 1, values: validation });
    return lines.filter((line) => line.values.size > 0);
  });
  const axes: Axes = {
    title: "Loss",
    x: "Epoch",
    y: "Loss (nats)",
    format: "number",
    log: settings.log,
    xRange: epochsOf(summary),
  };
  const { x, lines } = align(named);
  // A logarithm has no place for 0 and below.
  const drawn = settings.log ? lines.map((l) => ({ ...l, y: l.y.map((v) => (v !== null && v > 0 ? v : null)) })) : lines;
  return [axes, { x, lines: drawn, marks: marksOf(summary) }];
}

function trainLoss(arm: ArmSeries): Values {
  if (arm.steps.length > 0) return new Map(arm.steps.map((s) => [s.at, finite(s.loss)]));
  return new Map(arm.epochs.map((e) => [e.epoch, finite(e.trainLoss)]));
}

/** A small plot for each part of the loss, by its name: parts differ in size and sign, so that none shares an axis with another. */
export function partPlots(summary: Summary, { smoothing }: ChartSettings): (readonly [Axes, Plot])[] {
  const names = [...new Set(summary.arms.flatMap(partsOf))];
  return names.map((name) => {
    const lines = summary.arms.map((arm, colour) => ({
      label: arm.name,
      colour,
      kind: 0,
      values: smoothed(partLoss(arm, name), smoothing),
    }));
    const named = lines.filter(({ values }) => [...values.values()].some((value) => value !== null));
    const axes: Axes = {
      title: `Part of the loss: ${name}`,
      x: "Epoch",
      y: capital(name),
      format: "number",
      log: false,
      xRange: epochsOf(summary),
    };
    return [axes, { ...align(named), marks: marksOf(summary) }];
  });
}

/** Names of the loss's parts, in the order of their first appearance. */
const partsOf = (arm: ArmSeries): string[] => [...new Set([...arm.steps, ...arm.epochs].flatMap(({ parts }) => Object.keys(parts ?? {})))];

function partLoss(arm: ArmSeries, name: string): Values {
  if (arm.steps.length > 0) return new Map(arm.steps.map((s) => [s.at, finite(s.parts?.[name] ?? null)]));
  return new Map(arm.epochs.map((e) => [e.epoch, finite(e.parts?.[name] ?? null)]));
}

export function accuracyPlot(summary: Summary): readonly [Axes, Plot] {
  const named = summary.arms.flatMap((arm, colour): Named[] => {
    const accuracy = new Map(arm.epochs.filter((e) => e.validationAccuracy !== null).map((e) => [e.epoch, e.validationAccuracy]));
    const under = new Map(arm.epochs.flatMap((e) => (e.attackedAccuracy === undefined ? [] : [[e.epoch, e.attackedAccuracy] as const])));
    const quick = arm.epochs.filter((e) => e.quickAttack !== null);
    const attack = quick[0]?.quickAttack;
    const name = attack?.name ?? attack?.id ?? "attack";
    const success = new Map(quick.map((e) => [e.epoch, e.quickAttack?.successRate ?? null]));
    return [
      { label: `${arm.name} clean accuracy`, colour, kind: 0, values: accuracy },
      { label: `${arm.name} ${name} success rate`, colour, kind: 1, values: success },
      { label: `${arm.name} accuracy under the attack trained on`, colour, kind: 2, values: under },
    ].filter((line) => line.values.size > 0);
  });
  const axes: Axes = {
    title: "Accuracy and attack success rate",
    x: "Epoch",
    y: "Share of images",
    format: "percent",
    log: false,
    range: [0, 1],
    xRange: epochsOf(summary),
  };
  return [axes, { ...align(named), marks: marksOf(summary) }];
}

const epochsOf = (summary: Summary): readonly [number, number] => [0, Math.max(1, ...summary.arms.map((arm) => arm.plannedEpochs))];
const marksOf = ({ diverged }: Summary): Mark[] => (diverged ? [{ x: diverged.at, text: "Diverged", severe: true }] : []);
