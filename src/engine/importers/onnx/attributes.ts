import type { Attribute } from "./file/model.ts";
import type { OpGraph } from "./graph.ts";
import { exportAgain, invalidModel } from "./problems.ts";

/** What an attribute has to be, in words, and whether it is. */
interface Domain {
  readonly words: string;
  holds(attribute: Attribute): boolean;
}

const most = 2 ** 31 - 1;
const whole = (least: number) => (value: number) => Number.isInteger(value) && value >= least && value <= most;
const every = (list: readonly number[] | undefined, is: (value: number) => boolean): boolean => list?.every(is) === true;

const oneOf = (...texts: readonly string[]): Domain => ({
  words: `one of ${texts.join(", ")}`,
  holds: ({ text }) => text !== undefined && texts.includes(text),
});
const flag: Domain = { words: "0 or 1", holds: ({ int }) => int === 0 || int === 1 };
const int: Domain = { words: "a whole number", holds: ({ int: value }) => value !== undefined && whole(-most)(value) };
const count: Domain = { words: `a whole number from 1 to ${most}`, holds: ({ int: value }) => value !== undefined && whole(1)(value) };
const ints: Domain = { words: "whole numbers", holds: ({ ints: list }) => list !== undefined };
const counts: Domain = { words: `whole numbers from 1 to ${most}`, holds: ({ ints: list }) => every(list, whole(1)) };
const pixels: Domain = { words: `whole numbers up to ${most}`, holds: ({ ints: list }) => every(list, whole(-most)) };
const finite: Domain = { words: "a finite number", holds: ({ float }) => Number.isFinite(float) };
const positive: Domain = { words: "a number from 0 on", holds: ({ float }) => Number.isFinite(float) && Number(float) >= 0 };
const number: Domain = { words: "a number", holds: ({ float }) => float !== undefined && !Number.isNaN(float) };
const factors: Domain = { words: "numbers above 0", holds: ({ floats }) => every(floats, (value) => Number.isFinite(value) && value > 0) };

const each = (domain: Domain, names: string): [string, Domain][] => names.split(" ").map((name) => [name, domain]);

/** By the attribute's name, for all operators that have it. What an attribute of another type says would be passed over. */
const domains: ReadonlyMap<string, Domain> = new Map([
  ...each(flag, "ceil_mode count_include_pad storage_order keepdims noop_with_empty_axes transA transB allowzero sorted largest exclusive"),
  ...each(flag, "reverse select_last_index upper fmod training_mode antialias exclude_outside saturate spatial"),
  ...each(int, "axis k dtype to batch_dims p seed stash_type"),
  ...each(count, "group num_groups blocksize size num_outputs"),
  ...each(ints, "axes perm shape split starts ends"),
  ...each(counts, "kernel_shape strides dilations output_shape"),
  ...each(pixels, "pads output_padding"),
  ...each(finite, "alpha beta gamma bias momentum ratio cubic_coeff_a extrapolation_value"),
  ...each(number, "min max"),
  ["epsilon", positive],
  ["scales", factors],
  ["auto_pad", oneOf("NOTSET", "SAME_UPPER", "SAME_LOWER", "VALID")],
  [
    "coordinate_transformation_mode",
    oneOf(
      "half_pixel",
      "half_pixel_symmetric",
      "pytorch_half_pixel",
      "align_corners",
      "asymmetric",
      "tf_half_pixel_for_nn",
      "tf_crop_and_resize",
    ),
  ],
  ["nearest_mode", oneOf("round_prefer_floor", "round_prefer_ceil", "floor", "ceil")],
  ["keep_aspect_ratio_policy", oneOf("stretch", "not_larger", "not_smaller")],
  ["approximate", oneOf("none", "tanh")],
  ["reduction", oneOf("none", "add", "mul", "max", "min")],
]);

/** Attributes whose name means something else in another operator. */
const ofOperator: ReadonlyMap<string, Domain> = new Map([
  ["Pad mode", oneOf("constant", "reflect", "edge", "wrap")],
  ["Pad value", number],
  ["Resize mode", oneOf("nearest", "linear", "cubic")],
  ["Upsample mode", oneOf("nearest", "linear", "bilinear", "cubic")],
  ["DepthToSpace mode", oneOf("DCR", "CRD")],
]);

/** Checks that known attributes of ONNX's own operators have a value that the operator allows. @throws MODEL_INVALID naming node and attribute */
export function checkAttributes({ nodes, file }: Pick<OpGraph, "nodes" | "file">): void {
  for (const { op, domain, title, attributes } of nodes) {
    if (domain !== "") continue;
    for (const [name, attribute] of attributes) {
      const allowed = ofOperator.get(`${op} ${name}`) ?? domains.get(name);
      if (!allowed || allowed.holds(attribute)) continue;
      throw invalidModel(
        file,
        `has a node "${title}" (${op}) with ${name}${said(attribute)}, which has to be ${allowed.words}`,
        exportAgain,
      );
    }
  }
}

function said({ text, int: one, float, ints: list, floats }: Attribute): string {
  const value = text === undefined ? (one ?? float ?? [...(list ?? []), ...(floats ?? [])].slice(0, 8).join(", ")) : JSON.stringify(text);
  return value === "" ? "" : ` ${typeof value === "string" ? value.slice(0, 80) : value}`;
}
