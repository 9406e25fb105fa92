/** How a picture of another size than the model's is brought to it. "cover" is the default: what ImageNet evaluation does. */
export const fitRules = ["cover", "contain", "fill", "crop", "none"] as const;
export type FitRule = (typeof fitRules)[number];

/** What a person reads. */
export const fitTitles: Readonly<Record<FitRule, string>> = {
  cover: "Cover: short side to fit, centre crop",
  contain: "Contain: long side to fit, black borders",
  fill: "Stretch: both sides to fit, distorted",
  crop: "Crop: centre cut out, no resizing",
  none: "None: refuse other sizes",
};
