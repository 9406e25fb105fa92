import type { tfl } from "../../tf.ts";
import { apply, type Config, firstInput, pair, reshape, type Slot, spatialSize } from "./slot.ts";

type Kind = "Max" | "Average";

/**
 * Pools within each slice. Rounds sizes up ("same"), but for Z = 1, which is the 2-D network itself. An axis that has come down to
 * one pixel is left alone.
 */
export const pooling =
  (kind: Kind) =>
  (slot: Slot, config: Config): tfl.SymbolicTensor => {
    const x = firstInput(slot);
    const size = spatialSize(x);
    const poolSize = pair(config["poolSize"]).map((k, axis) => (size[axis] === 1 ? 1 : k));
    const strides = pair(config["strides"]).map((s, axis) => (size[axis] === 1 ? 1 : s));
    if (poolSize.some((k, axis) => k === 1 && size[axis] === 1))
      slot.conversion.note(`Layer "${slot.layer.name}": a ${size[0]}×${size[1]} slice is not pooled further along its side of 1.`);
    if (poolSize.every((k) => k === 1) && strides.every((s) => s === 1)) return x;
    const fits = poolSize.every((k, axis) => k <= (size[axis] as number));
    const padding = slot.conversion.depth === 1 && fits ? (config["padding"] ?? "valid") : "same";
    return apply(slot, `${kind}Pooling3D`, { name: slot.layer.name, poolSize: [1, ...poolSize], strides: [1, ...strides], padding }, x);
  };

/** [b,Z,h,w,C] → [b,Z,C]. */
export const globalPooling =
  (kind: Kind) =>
  (slot: Slot): tfl.SymbolicTensor => {
    const x = firstInput(slot);
    const [h, w] = spatialSize(x);
    const { depth } = slot.conversion;
    const window = [1, h, w];
    const pooled = apply(slot, `${kind}Pooling3D`, { name: slot.layer.name, poolSize: window, strides: window, padding: "valid" }, x);
    return reshape(slot, "_flat", [depth, x.shape[4] as number], pooled);
  };
