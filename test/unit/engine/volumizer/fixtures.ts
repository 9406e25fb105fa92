import type { VolumizerOptions } from "../../../../src/engine/define/index.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { find } from "../../../../src/engine/registry.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";
import { presets } from "../../../../src/engine/volumizer/presets.ts";

/** The paper's volumizer with slices of 2×2. */
export const options = (measure: string, o: Partial<VolumizerOptions> = {}): VolumizerOptions => ({
  ...presets.paper,
  patch: 2,
  measure: find("measure", measure),
  ...o,
});

/** Random images of whole bytes, [n,h,w,c]. */
export const images = (n: number, h: number, w: number, c: number, seed = 1): Images =>
  tf.tensor4d(
    createRandom(seed)
      .uniforms(n * h * w * c)
      .map((v) => Math.round(v * 255) / 255),
    [n, h, w, c],
  );
