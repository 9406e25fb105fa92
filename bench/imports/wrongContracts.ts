// Contracts that people write and that are wrong, for `node bench/imports.mjs probe`.
import type { Candidate } from "../../src/engine/probe/candidates.ts";
import type { Passes } from "../../src/engine/probe/score.ts";
import { createRandom } from "../../src/engine/random.ts";

const imagenet = { mean: [123.675, 116.28, 103.53], std: [58.395, 57.12, 57.375] };
const cifar10 = { mean: [125.307, 122.961, 113.858], std: [63.01, 62.093, 66.708] };

/** Ranges that no network takes: half of a normalisation, numbers of the other channel, pixels divided twice. */
export function strangeInputs(channels: number): Candidate[] {
  if (channels === 1)
    return [
      ["mean without std", { mean: 33.329, scale: 255 }],
      ["std without mean", { mean: 0, scale: 78.566 }],
      ["middle of bytes", { mean: 127.5, scale: 1 }],
      ["0…2", { mean: 0, scale: 127.5 }],
      ["divided twice", { mean: 0, scale: 255 * 255 }],
      ["of fractions", { mean: 0.1307, scale: 78.566 }],
    ].map(([id, input]) => ({ id: id as string, input: { ...(input as object), channels: "gray" } }));
  const reversed = (values: readonly number[]): number[] => [...values].reverse();
  const list: readonly (readonly [string, object])[] = [
    ["mean without std", { mean: imagenet.mean, scale: 255 }],
    ["std without mean", { mean: 0, scale: imagenet.std }],
    ["mean in the other order", { mean: reversed(imagenet.mean), scale: reversed(imagenet.std) }],
    ["caffe's mean in the other order", { mean: reversed([123.68, 116.779, 103.939]), scale: 1 }],
    ["mean of fractions", { mean: [0.485, 0.456, 0.406], scale: imagenet.std }],
    ["std of CIFAR-10 without mean", { mean: 0, scale: cifar10.std }],
    ["mean of CIFAR-10 without std", { mean: cifar10.mean, scale: 255 }],
    ["middle of bytes", { mean: 127.5, scale: 1 }],
    ["0…2", { mean: 0, scale: 127.5 }],
    ["128", { mean: 128, scale: 128 }],
    ["negative", { mean: 255, scale: -255 }],
    ["divided twice", { mean: 0, scale: 255 * 255 }],
  ];
  return list.flatMap(([id, input]) =>
    (["rgb", "bgr"] as const).map((channels) => ({ id: `${id} ${channels}`, input: { ...input, channels } })),
  );
}

/** Labels as data may have them, or outputs as a model may: for each image what is seen, and the output that is right. */
export interface Misread {
  readonly what: string;
  /** The label that the data have for an output; null for images that such data could not hold. */
  label(output: number): number | null;
  /** Outputs in another order or with one more: the old place of each new one, −1 for a class that no image shows. */
  readonly columns?: readonly number[];
}

const shuffled = (count: number): number[] => {
  const random = createRandom("orders");
  const order = Array.from({ length: count }, (_, i) => i);
  for (let i = count - 1; i > 0; i--) {
    const other = random.integer(i + 1);
    [order[i], order[other]] = [order[other] as number, order[i] as number];
  }
  return order;
};

/** @param names of the data's classes, by label */
export function misread({ classes }: Passes, names: readonly string[] | null): Misread[] {
  const all = Array.from({ length: classes }, (_, i) => i);
  const asText = all.map(String).sort();
  const within = (label: number): number | null => (label >= 0 && label < classes ? label : null);
  const alphabet = names && [...names].sort().map((name) => names.indexOf(name));
  const random = shuffled(classes);
  return [
    { what: "labels from 1", label: (output) => within(output + 1) },
    { what: "labels from −1", label: (output) => within(output - 1) },
    { what: "folders counted as text", label: (output) => asText.indexOf(String(output)) },
    { what: "outputs counted as text", label: (output) => Number(asText[output]) },
    { what: "labels in any order", label: (output) => random[output] as number },
    { what: "a background class first", label: (output) => output, columns: [-1, ...all] },
    { what: "a further class last", label: (output) => output, columns: [...all, -1] },
    { what: "labels from 1 and a background class first", label: (output) => output + 1, columns: [-1, ...all] },
    ...(alphabet ? [{ what: "outputs in the order of the alphabet", label: (output: number) => output, columns: alphabet }] : []),
  ];
}

/** The passes as the probe would have met them; null where no image is left. */
export function relabelled({ labels, classes, logits, met }: Passes, { what, label, columns }: Misread) {
  const seen = Array.from(labels, label);
  const kept = seen.flatMap((one, i) => (one === null ? [] : [i]));
  if (kept.length === 0) return null;
  const order = columns ?? Array.from({ length: classes }, (_, i) => i);
  const rows = logits.map((scores) => {
    const result = new Float32Array(kept.length * order.length);
    for (const [at, i] of kept.entries()) {
      const row = scores.subarray(i * classes, (i + 1) * classes);
      const lowest = row.reduce((a, b) => Math.min(a, b));
      for (const [k, place] of order.entries()) result[at * order.length + k] = place < 0 ? lowest : (row[place] as number);
    }
    return result;
  });
  const outputs = Int32Array.from(kept, (i) => order.indexOf(labels[i] as number));
  const passes: Passes = { labels: Int32Array.from(kept, (i) => seen[i] as number), classes: order.length, logits: rows, met };
  return { what, passes, outputs };
}
