import { Type } from "@sinclair/typebox";
import { type Bound, defineInferenceDefense, type InferenceDefense } from "../../../../src/engine/define/index.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";

/** A randomised defence for tests: every image is moved towards uniform noise of its own, x → 0.9x + 0.1u, differently in each pass. */
const entry = defineInferenceDefense({
  id: "noisy",
  title: "Noise",
  paper: "",
  params: Type.Object({}),
  randomised: () => true,
  backward: () => "exact",
  transform: (x, _, { random }) =>
    tf.tidy(() => {
      const size = x.size / x.shape[0];
      const noise = new Float32Array(x.size);
      for (let i = 0; i < x.shape[0]; i++) noise.set(random(i).uniforms(size), i * size);
      return tf.add(tf.mul(x, 0.9), tf.mul(tf.tensor4d(noise, x.shape), 0.1)) as Images;
    }),
});
export const noisy: Bound<InferenceDefense> = { id: "noisy", params: {}, entry };
