import { type Static, Type } from "@sinclair/typebox";
import { fitRules } from "./fit.ts";

/** `<model>.bulwark.json`, contract.md §5: the model sees (255·x − mean) / scale of our image x in [0,1]. */
const carriedDefense = Type.Object({ id: Type.String(), params: Type.Record(Type.String(), Type.Unknown()) });

export const InputContractSchema = Type.Object(
  {
    input: Type.Object(
      {
        size: Type.Optional(
          Type.Tuple([Type.Integer({ minimum: 1 }), Type.Integer({ minimum: 1 })], {
            description: "Height and width; taken from the model when left out.",
          }),
        ),
        channels: Type.Optional(
          Type.Union([Type.Literal("rgb"), Type.Literal("bgr"), Type.Literal("gray")], {
            description: "Order of the channels that the model wants.",
          }),
        ),
        layout: Type.Optional(Type.Union([Type.Literal("nhwc"), Type.Literal("nchw")])),
        mean: Type.Optional(Type.Union([Type.Number(), Type.Array(Type.Number())], { description: "In 0…255 units; 0 by default." })),
        scale: Type.Optional(
          Type.Union([Type.Number(), Type.Array(Type.Number())], {
            description: "In 0…255 units; 255 by default, so that the model sees [0,1].",
          }),
        ),
        resize: Type.Optional(
          Type.Union(
            fitRules.map((rule) => Type.Literal(rule)),
            { description: "How an image of another size is made to fit; cover (short side to fit, centre crop) when left out." },
          ),
        ),
        crop: Type.Optional(
          Type.Number({
            exclusiveMinimum: 0,
            maximum: 1,
            description: "With cover: the share of the resized image's sides that the centre crop keeps, such as 0.875 for 256 → 224.",
          }),
        ),
      },
      { additionalProperties: false },
    ),
    output: Type.Optional(
      Type.Object(
        {
          name: Type.Optional(Type.String({ description: "Output of an ONNX file that holds the scores, where it has several." })),
          kind: Type.Optional(Type.Union([Type.Literal("logits"), Type.Literal("probabilities")])),
          classes: Type.Optional(Type.Array(Type.String())),
          synsets: Type.Optional(
            Type.Array(Type.String(), { description: "WordNet ids of the classes, such as n01440764, in the same order." }),
          ),
          labelOffset: Type.Optional(
            Type.Integer({ minimum: 0, description: "Outputs before that of class 0, such as 1 for a network with a background class." }),
          ),
        },
        { additionalProperties: false },
      ),
    ),
    forwardOnly: Type.Optional(Type.Boolean({ description: "ONNX Runtime runs an ONNX file as it is: scores, but no gradients." })),
    /** What a contract probe measured when it wrote this contract. */
    probe: Type.Optional(
      Type.Object(
        {
          sha256: Type.String({ description: "Of the model file and its weights." }),
          dataset: Type.String(),
          split: Type.String(),
          n: Type.Integer({ minimum: 1, description: "Labelled images." }),
          hits: Type.Integer({ minimum: 0, description: "Of these, classified correctly under this contract." }),
        },
        { additionalProperties: false },
      ),
    ),
    /** The defences that a Bulwark model was trained with, in order; volumizer and aggregation are part of the classifier. */
    defense: Type.Optional(Type.Union([carriedDefense, Type.Array(carriedDefense)])),
  },
  { additionalProperties: false, title: "Bulwark input contract" },
);

export type InputContract = Static<typeof InputContractSchema>;

/**
 * Where what is said of a model comes from: a contract file beside it, a contract that was given with it (`--contract`, an experiment),
 * other files or data that its maker left with it, its own first layer, a published network that it is by name, or nothing at all.
 */
export type SourceKind = "file" | "given" | "metadata" | "layer" | "known" | "assumed";
export interface KnownFrom {
  readonly kind: SourceKind;
  /** For people, such as "model.bulwark.json" or "metadata.json (Teachable Machine)". */
  readonly text: string;
}

type Values = number | readonly number[] | undefined;
/** A mean or scale as a list: of one value for all channels, or of one for each. */
export const perChannel = (value: Values, otherwise: number): readonly number[] =>
  typeof value === "object" ? value : [value ?? otherwise];

/** What the model sees for black and white, each channel: (0 − mean) / scale and (255 − mean) / scale. */
export function inputRange({ mean, scale }: Pick<InputContract["input"], "mean" | "scale">): { low: number[]; high: number[] } {
  const [means, scales] = [perChannel(mean, 0), perChannel(scale, 255)];
  const channels = Math.max(means.length, scales.length);
  const at = (values: readonly number[], i: number): number => values[values.length === 1 ? 0 : i] as number;
  const seen = (byte: number): number[] => Array.from({ length: channels }, (_, i) => (byte - at(means, i)) / at(scales, i) + 0); // no −0
  return { low: seen(0), high: seen(255) };
}

const rounded = (value: number): string => String(Number(value.toPrecision(3)) + 0).replace("-", "−");

/** "0…1", "−1…1", "−2.12…2.25, −2.04…2.43, −1.8…2.64": what the model sees for pixels from black to white. */
export function inputRangeText(input: Pick<InputContract["input"], "mean" | "scale">): string {
  const { low, high } = inputRange(input);
  const ranges = low.map((value, i) => `${rounded(value)}…${rounded(high[i] as number)}`);
  return [...new Set(ranges)].length === 1 ? (ranges[0] as string) : ranges.join(", ");
}
