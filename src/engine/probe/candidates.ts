import { type InputContract, perChannel } from "../../shared/contract.ts";

type Input = InputContract["input"];
export interface Candidate {
  /** Range and, for three channels, their order: "signed rgb". */
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

/** Images with a longer side are photos: few networks take them in the range of a set of small pictures. */
const smallSide = 64;
/** Ranges named after a data set of small pictures. */
const ofSmallPictures = /^(cifar10|cifar10b|cifar100|svhn) /;

/** Seldom used for images of such a size, where `usual` ones lie near. @param side of the images, in pixels */
export const isRare = (id: string, side: number): boolean => /^clip /.test(id) || (side > smallSide && ofSmallPictures.test(id));

/** Contrasts and middles that differ by less look alike to a network: augmentation in training varies more. */
const [nearContrast, nearMiddle] = [1.35, 0.35];

/** Two ranges in the same order that differ in contrast by at most 35 % and in the middle by at most a third of the scale. */
export function areNear(a: Candidate["input"], b: Candidate["input"]): boolean {
  if (a.channels !== b.channels) return false;
  const [means, scales, otherMeans, otherScales] = [
    perChannel(a.mean, 0),
    perChannel(a.scale, 255),
    perChannel(b.mean, 0),
    perChannel(b.scale, 255),
  ];
  return [0, 1, 2].every((i) => {
    const at = (values: readonly number[]): number => values[values.length === 1 ? 0 : i] as number;
    const ratio = at(scales) / at(otherScales);
    const isNearContrast = ratio < nearContrast && ratio > 1 / nearContrast;
    return isNearContrast && Math.abs(at(means) - at(otherMeans)) <= nearMiddle * Math.abs(at(scales));
  });
}
