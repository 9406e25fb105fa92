import { BulwarkError } from "../../../shared/errors.ts";
import { tf, type tfl } from "../../tf.ts";
import { depthwise } from "./depthwise.ts";
import { along, pad, spread } from "./plane.ts";
import { apply, type Carry, type Config, firstInput, pair, refusal, type Slot, smallSlice, spatialSize } from "./slot.ts";

/** k×k → depth×k×k; depth is padded to stay Z, height and width keep their own rule. */
export function convolution(slot: Slot, config: Config): tfl.SymbolicTensor {
  return convolve(slot, firstInput(slot), { config, suffix: "", kernelDepth: slot.conversion.kernelDepth });
}

/** As a plain one, but that the norm is that of the deeper patch: with kernels that see neighbours, no weights do what the 2-D ones did. */
export function compactConvolution(slot: Slot, config: Config): tfl.SymbolicTensor {
  if (Number(config["groups"]) !== 1)
    throw refusal(slot, "divides by the norms of groups of channels, which has no counterpart in three dimensions");
  const { kernelDepth, weights, note } = slot.conversion;
  if (weights === "inflate" && kernelDepth > 1)
    note(
      `Layer "${slot.layer.name}": its products are divided by the norm of ${kernelDepth} slices, so its scores differ from those in 2-D.`,
    );
  return convolve(slot, firstInput(slot), { className: "CompactConv3D", config, suffix: "", kernelDepth });
}

/** The depthwise part in 3-D, without bias and activation, then the pointwise part within a slice. */
export function separable(slot: Slot, config: Config): tfl.SymbolicTensor {
  // tfjs leaves the multiplier out of a separable layer's configuration.
  const depthMultiplier = slot.layer.getWeights()[0]?.shape[3] ?? 1;
  const spatial = { ...config, depthMultiplier, useBias: false, activation: "linear" };
  const inner = depthwiseConvolution(slot, spatial, "_depthwise");
  const initializer = config["pointwiseInitializer"] ?? "glorotUniform";
  const pointwise = { ...config, kernelSize: [1, 1], strides: [1, 1], kernelInitializer: initializer };
  const carry: Carry = ([, kernel, ...bias]) => [(kernel as tf.Tensor4D).expandDims(0), ...bias];
  return convolve(slot, inner, { config: pointwise, suffix: "", kernelDepth: 1, carry });
}

/** One kernel a channel: kept so, or a dense convolution in its place, which can represent it but has a weight for every pair of channels. */
export function depthwiseConvolution(slot: Slot, config: Config, suffix = ""): tfl.SymbolicTensor {
  const x = firstInput(slot);
  checkKernel(slot, config);
  if (slot.conversion.depthwise === "grouped") return depthwise(slot, x, config, suffix);
  slot.conversion.note(`Layer "${slot.layer.name}": the depthwise convolution became a dense 3-D convolution.`);
  const multiplier = Number(config["depthMultiplier"] ?? 1);
  const dense = {
    ...config,
    filters: (x.shape[4] as number) * multiplier,
    kernelInitializer: config["depthwiseInitializer"] ?? "glorotUniform",
  };
  const { kernelDepth } = slot.conversion;
  const carry: Carry = ([kernel, ...bias]) => [inflated(onDiagonal(kernel as tf.Tensor4D), kernelDepth), ...bias.slice(0, biases(config))];
  return convolve(slot, x, { config: dense, suffix, kernelDepth, carry });
}

/** As a depthwise one; in a dense convolution a filter has zeros for the channels of other groups. */
export function groupedConvolution(slot: Slot, config: Config): tfl.SymbolicTensor {
  const { groups, ...dense } = config;
  checkKernel(slot, dense);
  const { kernelDepth } = slot.conversion;
  if (slot.conversion.depthwise === "grouped") return depthwise(slot, firstInput(slot), config, "");
  slot.conversion.note(`Layer "${slot.layer.name}": the grouped convolution became a dense 3-D convolution.`);
  const carry: Carry = ([kernel, ...bias]) => [inflated(acrossGroups(kernel as tf.Tensor4D, Number(groups)), kernelDepth), ...bias];
  return convolve(slot, firstInput(slot), { config: dense, suffix: "", kernelDepth, carry });
}

/** A kernel for the channels of its group [h,w,C/g,O] as the kernel [h,w,C,O] of a dense convolution. */
const acrossGroups = (kernel: tf.Tensor4D, groups: number): tf.Tensor4D => {
  const [h, w, c, o] = kernel.shape;
  const apart = tf.mul(kernel.reshape([h, w, 1, c, groups, o / groups]), tf.eye(groups).reshape([1, 1, groups, 1, groups, 1]));
  return apart.reshape([h, w, groups * c, o]);
};

const biases = (config: Config): number => (config["useBias"] === false ? 0 : 1);

/** A kernel a channel [h,w,C,m] as the kernel [h,w,C,C·m] of a dense convolution. */
const onDiagonal = (kernel: tf.Tensor4D): tf.Tensor4D => {
  const [h, w, c, m] = kernel.shape;
  return tf.mul(kernel.expandDims(3), tf.eye(c).reshape([1, 1, c, c, 1])).reshape([h, w, c, c * m]);
};

/** A kernel that looks at its own slice alone. */
export function inflated(kernel: tf.Tensor4D, kernelDepth: number): tf.Tensor5D {
  const front = Math.floor((kernelDepth - 1) / 2);
  return tf.pad(kernel.expandDims<tf.Tensor5D>(0), [
    [front, kernelDepth - 1 - front],
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
}

/** Strides spread the pixels apart, then it is a convolution with the kernel turned round. It can be trained, unlike tfjs' own in 3-D. */
export function transposed(slot: Slot, config: Config): tfl.SymbolicTensor {
  const [kernelSize, strides] = [pair(config["kernelSize"]), pair(config["strides"])];
  checkKernel(slot, config);
  const isSame = config["padding"] === "same";
  const side = (axis: 0 | 1): [number, number] => {
    const beyond = Math.max(kernelSize[axis] - strides[axis], 0);
    const before = isSame ? Math.floor(beyond / 2) : 0;
    return [kernelSize[axis] - 1 - before, isSame ? before : beyond];
  };
  const padded = pad(slot, "_full", spread(slot, firstInput(slot), strides), { rows: side(0), columns: side(1) });
  const { kernelDepth } = slot.conversion;
  const turned = (kernel: tf.Tensor4D): tf.Tensor4D => kernel.reverse([0, 1]).transpose([0, 1, 3, 2]);
  const carry: Carry = ([kernel, ...bias]) => [inflated(turned(kernel as tf.Tensor4D), kernelDepth), ...bias];
  return convolve(slot, padded, { config: { ...config, strides: [1, 1], padding: "valid" }, suffix: "", kernelDepth, carry });
}

const kept = ["filters", "useBias", "activation", "trainable"]
  .concat(["kernelInitializer", "kernelRegularizer", "kernelConstraint"])
  .concat(["biasInitializer", "biasRegularizer", "biasConstraint"])
  .concat(["alpha", "delta"]);

interface Convolved {
  /** Conv3D when left out. */
  readonly className?: string;
  readonly config: Config;
  readonly suffix: string;
  readonly kernelDepth: number;
  readonly carry?: Carry;
}

function convolve(slot: Slot, x: tfl.SymbolicTensor, o: Convolved): tfl.SymbolicTensor {
  const { config, kernelDepth } = o;
  const [kh, kw] = pair(config["kernelSize"]);
  checkKernel(slot, config);
  const [h, w] = spatialSize(x);
  const tooSmall = config["padding"] === "valid" && (h < kh || w < kw);
  if (tooSmall) slot.conversion.note(smallSlice(slot, h, w));
  const strides = pair(config["strides"]);
  const wanted = tooSmall || config["padding"] === "same" ? "same" : "valid";
  const [rows, columns] = [along(h, kh, strides[0], wanted), along(w, kw, strides[1], wanted)];
  const padding = rows.skips || columns.skips ? "valid" : wanted;
  const conv3d = {
    ...Object.fromEntries(kept.filter((key) => config[key] != null).map((key) => [key, config[key] ?? null])),
    kernelSize: [kernelDepth, kh, kw],
    strides: [1, ...strides],
    padding,
  };
  const front = Math.floor((kernelDepth - 1) / 2);
  const sides = {
    slices: [front, kernelDepth - 1 - front],
    rows: [rows.before, rows.behind],
    columns: [columns.before, columns.behind],
  } as const;
  const padded = padding === "valid" ? pad(slot, `${o.suffix}_depth`, x, sides) : x;
  const carry: Carry = o.carry ?? (([kernel, ...bias]) => [inflated(kernel as tf.Tensor4D, kernelDepth), ...bias]);
  return apply(slot, { className: o.className ?? "Conv3D", suffix: o.suffix, config: conv3d, carry }, padded);
}

/** Refuses what tfjs cannot train; "kernel ≪ slice": an error where the first kernel does not fit, a note where it covers more than half. */
function checkKernel(slot: Slot, config: Config): void {
  const { conversion } = slot;
  const [kh, kw] = pair(config["kernelSize"]);
  if (pair(config["dilationRate"] ?? 1).some((d) => d !== 1))
    throw refusal(slot, "is dilated, which tfjs cannot train in three dimensions");
  if (conversion.seenConvolution) return;
  conversion.seenConvolution = true;
  const [h, w] = conversion.patch;
  if (kh > h || kw > w) {
    throw new BulwarkError(
      "PARAMETER_INVALID",
      `The ${kh}×${kw} kernel of layer "${slot.layer.name}" is larger than a slice of ${h}×${w}.`,
      "Use larger patches.",
    );
  }
  if (2 * kh > h || 2 * kw > w) {
    conversion.note(`Layer "${slot.layer.name}": its ${kh}×${kw} kernel covers more than half of a ${h}×${w} slice.`);
  }
}
