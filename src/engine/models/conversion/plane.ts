import type { tfl } from "../../tf.ts";
import { apply, reshape, type Slot, volumeShape } from "./slot.ts";

type Sides = readonly [before: number, behind: number];

/**
 * Adds zeros to a volume [Z,h,w,C] or takes rows and columns away (`className` Cropping2D). tfjs has such layers for images alone:
 * slices and rows are the two axes of one image, all rows and columns those of the next.
 */
export function pad(
  slot: Slot,
  suffix: string,
  x: tfl.SymbolicTensor,
  sides: { readonly slices?: Sides; readonly rows?: Sides; readonly columns?: Sides },
  className: "ZeroPadding2D" | "Cropping2D" = "ZeroPadding2D",
): tfl.SymbolicTensor {
  const { slices = [0, 0], rows = [0, 0], columns = [0, 0] } = sides;
  const any = (...of: Sides[]): boolean => of.flat().some((n) => n !== 0);
  const key = className === "Cropping2D" ? "cropping" : "padding";
  const sign = className === "Cropping2D" ? -1 : 1;
  const [Z, h, w, c] = volumeShape(x);
  const [depth, height, width] = [Z + sign * sum(slices), h + sign * sum(rows), w + sign * sum(columns)];
  let flat = x;
  if (any(slices, rows)) {
    flat = reshape(slot, `${suffix}_rows`, [Z, h, w * c], flat);
    flat = apply(slot, { className, suffix: `${suffix}_height`, config: { [key]: [[...slices], [...rows]] } }, flat);
  }
  if (any(columns)) {
    flat = reshape(slot, `${suffix}_columns`, [depth * height, w, c], flat);
    flat = apply(slot, { className, suffix: `${suffix}_width`, config: { [key]: [[0, 0], [...columns]] } }, flat);
  }
  return flat === x ? x : reshape(slot, `${suffix}_volume`, [depth, height, width, c], flat);
}

const sum = ([before, behind]: Sides): number => before + behind;

/** Zeros between the pixels of each slice and behind them: [Z,h,w,C] → [Z,h·sh,w·sw,C]. */
export function spread(slot: Slot, x: tfl.SymbolicTensor, [sh, sw]: readonly [number, number]): tfl.SymbolicTensor {
  const [Z, h, w, c] = volumeShape(x);
  if (sh === 1 && sw === 1) return x;
  const insert = (suffix: string, behind: number, to: tfl.SymbolicTensor) =>
    apply(
      slot,
      {
        className: "ZeroPadding2D",
        suffix,
        config: {
          padding: [
            [0, 0],
            [0, behind],
          ],
        },
      },
      to,
    );
  const rows = insert("_rowgap", sh - 1, reshape(slot, "_rowwise", [Z * h, 1, w * c], x));
  const columns = insert("_gap", sw - 1, reshape(slot, "_pixelwise", [Z * h * sh * w, 1, c], rows));
  return reshape(slot, "_spread", [Z, h * sh, w * sw, c], columns);
}

/** How a kernel of k pixels runs along an axis of n: zeros before and behind, and the pixels that come out. */
export interface Run {
  readonly before: number;
  readonly behind: number;
  readonly out: number;
  /** The last window ends before the axis does. With padding "same" tfjs starts behind the first pixel then, in 3-D alone. */
  readonly skips: boolean;
}
/** The same sizes as tfjs has them in 2-D. */
export function along(n: number, k: number, stride: number, padding: "same" | "valid"): Run {
  if (padding === "valid") return { before: 0, behind: 0, out: Math.floor((n - k) / stride) + 1, skips: false };
  const out = Math.ceil(n / stride);
  const total = (out - 1) * stride + k - n;
  const added = Math.max(total, 0);
  return { before: Math.floor(added / 2), behind: Math.ceil(added / 2), out, skips: total < 0 };
}
