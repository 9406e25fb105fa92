import type { tfl } from "../../tf.ts";
import { along } from "./plane.ts";
import { apply, type Config, firstInput, pair, reshape, type Slot, spatialSize } from "./slot.ts";

type Kind = "Max" | "Average";

/**
 * Pools within each slice. Windows that lie side by side round sizes up ("same"), so that slices do not run out of pixels; those
 * that overlap keep their rule where they fit, so that they still meet the convolutions beside them. With Z = 1 all do: that is the
 * 2-D network itself. An axis that has come down to one pixel is left alone.
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
    const overlaps = poolSize.some((k, axis) => k > (strides[axis] as number));
    const wanted = fits && (overlaps || slot.conversion.depth === 1) ? String(config["padding"] ?? "valid") : "same";
    const skips = size.some((n, axis) => along(n, poolSize[axis] as number, strides[axis] as number, "same").skips);
    const padding = skips ? "valid" : wanted;
    const layer = { poolSize: [1, ...poolSize], strides: [1, ...strides], padding };
    return apply(slot, { className: `${kind}Pooling3D`, suffix: "", config: layer }, x);
  };

/** [b,Z,h,w,C] → [b,Z,C], or [b,Z,1,1,C] where the axes are kept. */
export const globalPooling =
  (kind: Kind) =>
  (slot: Slot, { keepdims }: Config): tfl.SymbolicTensor => {
    const x = firstInput(slot);
    const window = [1, ...spatialSize(x)];
    const config = { poolSize: window, strides: window, padding: "valid" };
    const pooled = apply(slot, { className: `${kind}Pooling3D`, suffix: "", config }, x);
    return reshape(slot, "_flat", [slot.conversion.depth, ...(keepdims === true ? [1, 1] : []), x.shape[4] as number], pooled);
  };
