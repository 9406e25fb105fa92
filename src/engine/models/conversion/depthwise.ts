import type { tf, tfl } from "../../tf.ts";
import { along, pad } from "./plane.ts";
import { apply, type Carry, type Config, pair, reshape, type Slot, smallSlice, volumeShape } from "./slot.ts";

/**
 * A depthwise or grouped convolution in 3-D, which tfjs lacks: the sum over the kernel's depth of such convolutions of shifted slices. The
 * slices lie below each other as one tall image, in bands of a multiple of the stride, so that each tap is a single 2-D convolution.
 */
export function depthwise(slot: Slot, x: tfl.SymbolicTensor, config: Config, suffix: string): tfl.SymbolicTensor {
  const { kernelDepth } = slot.conversion;
  const [Z, h, w, c] = volumeShape(x);
  const [[kh, kw], [sh, sw]] = [pair(config["kernelSize"]), pair(config["strides"])];
  const tooSmall = config["padding"] === "valid" && (h < kh || w < kw);
  if (tooSmall) slot.conversion.note(smallSlice(slot, h, w));
  const padding = config["padding"] === "valid" && !tooSmall ? "valid" : "same";
  const [rows, columns] = [along(h, kh, sh, padding), along(w, kw, sw, padding)];
  const padded = rows.before + h + rows.behind;
  const band = Math.ceil(padded / sh) * sh;
  const front = Math.floor((kernelDepth - 1) / 2);
  const volume = pad(slot, `${suffix}_pad`, x, {
    slices: [front, kernelDepth - 1 - front],
    rows: [rows.before, rows.behind + band - padded],
    columns: [columns.before, columns.behind],
  });
  const width = columns.before + w + columns.behind;
  const beyond = Math.max(kh - sh, 0); // the last window of the tall image is garbage like that between any two slices
  const tall = below(slot, `${suffix}_tall`, reshape(slot, `${suffix}_stack`, [(Z + kernelDepth - 1) * band, width, c], volume), beyond);
  const taps = Array.from({ length: kernelDepth }, (_, tap) => {
    const shifted = crop(slot, `${suffix}_shift${tap}`, tall, [tap * band, (kernelDepth - 1 - tap) * band]);
    return convolveTap(slot, shifted, { config, suffix, tap, front });
  });
  const total = taps.length === 1 ? (taps[0] as tfl.SymbolicTensor) : apply(slot, use("Add", `${suffix}_sum`), taps);
  const filters = isGrouped(slot) ? Number(config["filters"]) : c * Number(config["depthMultiplier"] ?? 1);
  const bands = reshape(slot, `${suffix}_bands`, [Z, band / sh, columns.out, filters], total);
  const result = pad(slot, `${suffix}_trim`, bands, { rows: [0, band / sh - rows.out] }, "Cropping2D");
  return apply(slot, { className: "Activation", suffix, config: { activation: config["activation"] ?? "linear" } }, result);
}

const use = (className: string, suffix: string) => ({ className, suffix, config: {} });

const below = (slot: Slot, suffix: string, x: tfl.SymbolicTensor, rows: number): tfl.SymbolicTensor =>
  rows === 0 ? x : apply(slot, { className: "ZeroPadding2D", suffix, config: { padding: sides(0, rows) } }, x);

const crop = (slot: Slot, suffix: string, x: tfl.SymbolicTensor, [top, bottom]: readonly [number, number]): tfl.SymbolicTensor =>
  top + bottom === 0 ? x : apply(slot, { className: "Cropping2D", suffix, config: { cropping: sides(top, bottom) } }, x);

const sides = (top: number, bottom: number): number[][] => [
  [top, bottom],
  [0, 0],
];

const isGrouped = (slot: Slot): boolean => slot.layer.getClassName() === "GroupedConv2D";

const common = ["kernelSize", "strides", "trainable", "biasInitializer", "biasRegularizer", "biasConstraint"];
const ofDepthwise = ["depthMultiplier", "depthwiseInitializer", "depthwiseRegularizer", "depthwiseConstraint"];
const ofGroups = ["filters", "groups", "kernelInitializer", "kernelRegularizer", "kernelConstraint"];

/** One slice of the kernel; that of the slice itself has the bias. */
function convolveTap(
  slot: Slot,
  x: tfl.SymbolicTensor,
  o: { readonly config: Config; readonly suffix: string; readonly tap: number; readonly front: number },
): tfl.SymbolicTensor {
  const isOwn = o.tap === o.front;
  const useBias = isOwn && o.config["useBias"] !== false;
  const [className, kept, initializer] = isGrouped(slot)
    ? (["GroupedConv2D", ofGroups, "kernelInitializer"] as const)
    : (["DepthwiseConv2D", ofDepthwise, "depthwiseInitializer"] as const);
  const config = {
    ...Object.fromEntries([...common, ...kept].filter((key) => o.config[key] != null).map((key) => [key, o.config[key] ?? null])),
    [initializer]: forTap(o.config[initializer] ?? "glorotUniform", o.tap, slot.conversion.kernelDepth),
    padding: "valid",
    useBias,
  };
  const carry: Carry = ([kernel, ...bias]) => {
    const own = kernel as tf.Tensor;
    return [isOwn ? own : own.zerosLike(), ...(useBias ? bias : [])];
  };
  return apply(slot, { className, suffix: `${o.suffix}_tap${o.tap}`, config, carry }, x);
}

/** Taps start from numbers of their own, and from smaller ones the more of them are summed. */
function forTap(initializer: Config[string], tap: number, taps: number): NonNullable<Config[string]> {
  if (typeof initializer !== "object" || initializer === null || Array.isArray(initializer)) return initializer ?? "glorotUniform";
  const inner = initializer["config"];
  if (typeof inner !== "object" || inner === null || Array.isArray(inner)) return initializer;
  const seed = typeof inner["seed"] === "number" ? { seed: inner["seed"] + tap } : {};
  const scale = typeof inner["scale"] === "number" ? { scale: inner["scale"] / taps } : {};
  return { ...initializer, config: { ...inner, ...seed, ...scale } };
}
