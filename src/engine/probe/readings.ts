import type { LabelReading } from "../../shared/probe.ts";

/** What labels may be read by. */
export interface ReadingFacts {
  /** Outputs of the model. */
  readonly classes: number;
  /** Names of the data's classes, by label; null where they are only numbers. */
  readonly names: readonly string[] | null;
}

const inTextOrder = (count: number): string[] => Array.from({ length: count }, (_, i) => String(i)).sort(); // "0", "1", "10", "11", "2" …

/** The output that each label stands for; null where a reading does not apply. An assignment is found by `assignment.ts`. */
const readers: Readonly<Record<Exclude<LabelReading, "assigned">, (facts: ReadingFacts) => ((label: number) => number) | null>> = {
  identity: () => (label) => label,
  plusOne: () => (label) => label + 1,
  minusOne: () => (label) => label - 1,
  textOrder: ({ classes }) => {
    const order = inTextOrder(classes);
    return (label) => order.indexOf(String(label));
  },
  numberOrder: ({ classes }) => {
    const order = inTextOrder(classes);
    return (label) => Number(order[label] ?? -1);
  },
  alphabet: ({ names }) => {
    if (!names) return null;
    const order = [...names].sort();
    return (label) => order.indexOf(names[label] ?? "");
  },
};

export const plainReadings = Object.keys(readers) as Exclude<LabelReading, "assigned">[];

/** Outputs that labels stand for; null where some label has none, or the reading does not apply. */
export function readLabels(labels: Int32Array, reading: Exclude<LabelReading, "assigned">, facts: ReadingFacts): Int32Array | null {
  const reader = readers[reading](facts);
  const read = reader && labels.map(reader);
  return read?.every((label) => label >= 0 && label < facts.classes) ? read : null;
}

export const readingTexts: Readonly<Record<LabelReading, string>> = {
  identity: "as they are",
  plusOne: "one further on, as for a model whose first output is a background class",
  minusOne: "one back, as labels counted from 1",
  textOrder: "in the order of their numbers as text (0, 1, 10, 11, 2 …)",
  numberOrder: "as numbers, where folders were counted in the order of text (0, 1, 10, 11, 2 …)",
  alphabet: "in the alphabetical order of the class names",
  assigned: "in the order that half of the images show",
};
