import type { Random } from "../random.ts";
import { tf } from "../tf.ts";
import type { SamplingScheme } from "./scheme.ts";

/** Dropout: each single activation stays with probability 1 − rate, on its own, and is divided by it. */
export const dropoutSampling = (rate: number): SamplingScheme => ({
  draws({ rows, channels, shape }, _read, random) {
    const entries = rows * channels;
    const scale = 1 / (1 - rate);
    const counts = { all: 0, active: 0, kept: 0 };
    return {
      c: null,
      multiplier(images) {
        const out = new Float32Array(images.length * entries);
        images.forEach((image, pass) => {
          const stream = random[image] as Random;
          for (let entry = pass * entries; entry < (pass + 1) * entries; entry++)
            if (stream.next() >= rate) {
              out[entry] = scale;
              counts.kept++;
            }
        });
        counts.all += out.length;
        counts.active += out.length;
        return tf.tensor(out, [images.length, ...shape.slice(1)]);
      },
      counts,
    };
  },
});
