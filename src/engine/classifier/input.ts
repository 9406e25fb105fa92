import type { InputContract } from "../../shared/contract.ts";
import type { TrainingPlan } from "../define/index.ts";
import { type Images, tf } from "../tf.ts";

type PerChannel = number | readonly number[];

/** Values for every channel as a tensor that broadcasts over the last axis, or over axis 1 of [b,C,H,W]. */
function perChannel(value: PerChannel, rank: number, channelsFirst: boolean): tf.Tensor {
  if (typeof value === "number") return tf.scalar(value);
  const shape = Array.from({ length: rank }, () => 1);
  shape[channelsFirst ? 1 : rank - 1] = value.length;
  return tf.tensor([...value], shape, "float32");
}
/** Channels that are no colours, which a defence adds behind the pixels', get the mean of what the colours have. */
const withMean = (value: PerChannel, added: number): PerChannel =>
  typeof value === "number" || added === 0
    ? value
    : [...value, ...Array.from({ length: added }, () => value.reduce((a, b) => a + b) / value.length)];

function reversed(input: tf.Tensor, added: number): tf.Tensor {
  const last = input.rank - 1;
  if (added === 0) return tf.reverse(input, last);
  const [colours, rest] = tf.split(input, [(input.shape[last] as number) - added, added], last) as [tf.Tensor, tf.Tensor];
  return tf.concat([tf.reverse(colours, last), rest], last);
}

const isAll = (value: PerChannel, expected: number): boolean =>
  typeof value === "number" ? value === expected : value.every((v) => v === expected);

/**
 * Images [b,H,W,C] in [0,1] → what the network wants: the defence's own preparation (volumizer), then the channel order and
 * (255·x − mean) / scale of the input contract, mean and scale in the order of the network's channels. Differentiable; call in a tidy.
 */
export function networkInput(x: Images, contract: InputContract, plan?: TrainingPlan): tf.Tensor {
  const { channels, layout, mean = 0, scale = 255 } = contract.input;
  let input: tf.Tensor = plan ? plan.prepare(x) : x;
  const added = (input.shape.at(-1) ?? 0) - x.shape[3];
  if (channels === "bgr") input = reversed(input, added);
  const channelsFirst = layout === "nchw" && input.rank === 4;
  if (channelsFirst) input = tf.transpose(input, [0, 3, 1, 2]);
  if (isAll(mean, 0) && isAll(scale, 255)) return input;
  const bytes = tf.mul(input, 255);
  return tf.div(
    tf.sub(bytes, perChannel(withMean(mean, added), input.rank, channelsFirst)),
    perChannel(withMean(scale, added), input.rank, channelsFirst),
  );
}
