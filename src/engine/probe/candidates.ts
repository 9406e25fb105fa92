import type { InputContract } from "../../shared/contract.ts";

type Input = InputContract["input"];
export interface Candidate {
  readonly id: string;
  /** Range and channel order, in the contract's units: the model sees (255·x − mean) / scale. */
  readonly input: Pick<Input, "mean" | "scale" | "channels">;
}

interface Range {
  readonly id: string;
  readonly mean: number | readonly [number, number, number];
  readonly scale: number | readonly [number, number, number];
}

/** Ranges in use, the more common first; means and scales per channel in red, green, blue. Source: the training recipes of each. */
const plain: readonly Range[] = [
  { id: "unit", mean: 0, scale: 255 },
  { id: "signed", mean: 127.5, scale: 127.5 },
  { id: "bytes", mean: 0, scale: 1 },
  { id: "half", mean: 127.5, scale: 255 },
];
const photo: readonly Range[] = [
  { id: "imagenet", mean: [123.675, 116.28, 103.53], scale: [58.395, 57.12, 57.375] },
  { id: "caffe", mean: [123.68, 116.779, 103.939], scale: 1 },
  { id: "clip", mean: [122.771, 116.746, 104.094], scale: [68.501, 66.632, 70.323] },
  { id: "cifar10", mean: [125.307, 122.961, 113.858], scale: [63.01, 62.093, 66.708] },
  { id: "cifar10b", mean: [125.307, 122.961, 113.858], scale: [51.587, 50.847, 51.255] },
  { id: "cifar100", mean: [129.31, 124.109, 112.404], scale: [68.213, 65.407, 70.406] },
  { id: "svhn", mean: [111.613, 113.169, 120.564], scale: [50.49, 51.255, 50.235] },
];
const gray: readonly Range[] = [
  { id: "mnist", mean: 33.329, scale: 78.566 },
  { id: "inverted", mean: 255, scale: -255 },
];

const ordered = (value: Range["mean"], isReversed: boolean): number | number[] =>
  typeof value === "number" ? value : isReversed ? [...value].reverse() : [...value];

/** The ranges that are tried for a model, in both channel orders for one of three channels. */
export function candidatesOf(channels: number): Candidate[] {
  if (channels === 1)
    return [...plain, ...gray].map(({ id, mean, scale }) => ({
      id,
      input: { mean: ordered(mean, false), scale: ordered(scale, false), channels: "gray" },
    }));
  return [...plain, ...photo].flatMap(({ id, mean, scale }) =>
    (["rgb", "bgr"] as const).map((channels) => {
      const isReversed = channels === "bgr"; // a mean of several numbers is in the order of the network's channels
      return { id: `${id} ${channels}`, input: { mean: ordered(mean, isReversed), scale: ordered(scale, isReversed), channels } };
    }),
  );
}
