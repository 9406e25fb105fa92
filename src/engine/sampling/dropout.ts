import type { Random } from "../random.ts";
import { tf } from "../tf.ts";
import type { SamplingScheme } from "./scheme.ts";

/** Dropout: each single activation stays with probability 1 − rate, on its own, and is divided by it. */
export const dropoutSampling = (rate: number): SamplingScheme => ({
  draws({ rows, channels, shape }, _read, random) {
    const entries = rows * channels;
    const scale = 1 / (1 - rate);
    const dropped = Math.round(rate * 2 ** 31);
    const counts = { all: 0, active: 0, kept: 0 };
    return {
      c: null,
      multiplier(images) {
        const out = new Float32Array(images.length * entries);
        const words = new Uint32Array(entries);
        images.forEach((image, pass) => {
          (random[image] as Random).words(words);
          const offset = pass * entries;
          let kept = 0;
          for (let entry = 0; entry < entries; entry++) {
            const isKept = 1 - ((((words[entry] as number) >>> 1) - dropped) >>> 31); // no branch: it would be guessed wrong half of the time
            out[offset + entry] = isKept * scale;
            kept += isKept;
          }
          counts.kept += kept;
        });
        counts.all += out.length;
        counts.active += out.length;
        return tf.tensor(out, [images.length, ...shape.slice(1)]);
      },
      counts,
    };
  },
});
