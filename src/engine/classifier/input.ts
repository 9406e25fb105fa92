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
const isAll = (value: PerChannel, expected: number): boolean =>
  typeof value === "number" ? value === expected : value.every((v) => v === expected);

/**
 * Images [b,H,W,C] in [0,1] → what the network wants: the defence's own preparation (volumizer), then the channel order and
 * (255·x − mean) / scale of the input contract, mean and scale in the order of the network's channels. Differentiable; call in a tidy.
 */
export function networkInput(x: Images, contract: InputContract, plan?: TrainingPlan): tf.Tensor {
  const { channels, layout, mean = 0, scale = 255 } = contract.input;
  let input: tf.Tensor = plan ? plan.prepare(x) : x;
  if (channels === "bgr") input = tf.reverse(input, input.rank - 1);
  const channelsFirst = layout === "nchw" && input.rank === 4;
  if (channelsFirst) input = tf.transpose(input, [0, 3, 1, 2]);
  if (isAll(mean, 0) && isAll(scale, 255)) return input;
  const bytes = tf.mul(input, 255);
  return tf.div(tf.sub(bytes, perChannel(mean, input.rank, channelsFirst)), perChannel(scale, input.rank, channelsFirst));
}
