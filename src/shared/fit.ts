/** How a picture of another size than the model's is brought to it. "cover" is the default: what ImageNet evaluation does, with the same pixels. */
export const fitRules = ["cover", "contain", "fill", "crop", "none"] as const;
export type FitRule = (typeof fitRules)[number];

/** What was done to a picture of another size than the model's; sizes are height×width. */
export interface AppliedFit {
  readonly rule: FitRule;
  readonly from: readonly [height: number, width: number];
  readonly to: readonly [height: number, width: number];
}

/** What a person reads. */
export const fitTitles: Readonly<Record<FitRule, string>> = {
  cover: "Cover: short side to fit, centre crop",
  contain: "Contain: long side to fit, black borders",
  fill: "Stretch: both sides to fit, distorted",
  crop: "Crop: centre cut out, no resizing",
  none: "None: refuse other sizes",
};

/** The same in one word, for a choice beside a picture. */
export const fitNames: Readonly<Record<FitRule, string>> = {
  cover: "Cover",
  contain: "Contain",
  fill: "Stretch",
  crop: "Crop",
  none: "None",
};
export const isFitRule = (value: unknown): value is FitRule => fitRules.some((rule) => rule === value);

const manners: Readonly<Record<FitRule, string>> = {
  cover: "short side to fit (bilinear), centre crop",
  contain: "long side to fit (bilinear), black borders",
  fill: "both sides stretched to fit (bilinear)",
  crop: "centre cut out, no resizing",
  none: "refused",
};
/** What is done to the pictures of a set, in a sentence; sizes are height×width. */
export const fitNote = ([height, width]: readonly [number, number], rule: FitRule): string =>
  `Pictures of another size than ${height}×${width} are fitted: ${manners[rule]}.`;
