import type { tf, tfl } from "../tf.ts";
import { batchNormTraining } from "./batchNorm.ts";
import type { Core } from "./config.ts";

interface Layer {
  readonly scale: boolean;
  readonly center: boolean;
  readonly axis: number;
  readonly momentum: number;
  readonly epsilon: number;
  readonly gamma: tfl.LayerVariable;
  readonly beta: tfl.LayerVariable;
  readonly movingMean: tfl.LayerVariable;
  readonly movingVariance: tfl.LayerVariable;
}
type Call = (this: Layer, inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>) => tf.Tensor | tf.Tensor[];

/**
 * Lets batch normalisation without a scale or without an offset (Inception's has no scale) be trained and differentiated: tfjs reads the
 * missing variable in training, and saves the missing tensor for the gradient. The layer gets constants in their place. Its training along
 * the last axis is one kernel with a gradient in closed form, where tfjs differentiates through moments; what it computes is the same.
 */
export function completeBatchNorm(core: Core): void {
  const [layer] = core.serialization.SerializationMap.getMap().classNameMap["BatchNormalization"] ?? [];
  const prototype: object | undefined = layer?.prototype;
  if (!prototype) return;
  const build = Reflect.get(prototype, "build") as (this: Layer, shape: unknown) => void;
  Reflect.set(prototype, "build", function (this: Layer, shape: unknown): void {
    build.call(this, shape);
    const size = this.movingMean.shape as number[];
    if (!this.scale) Reflect.set(this, "gamma", { read: () => core.fill(size, 1) });
    if (!this.center) Reflect.set(this, "beta", { read: () => core.fill(size, 0) });
  });
  const call = Reflect.get(prototype, "call") as Call;
  Reflect.set(prototype, "call", function (this: Layer, inputs: tf.Tensor | tf.Tensor[], kwargs: Record<string, unknown>) {
    const [x] = [inputs].flat();
    const isLast = x && (this.axis === -1 || this.axis === x.rank - 1);
    const normalised = () => (isLast && kwargs["training"] ? train(core, this, x) : call.call(this, inputs, kwargs));
    return kwargs["keepsAverages"] ? withAveragesOf(this, normalised) : normalised();
  } satisfies Call);
}

/** The layer's running averages are afterwards what they were before. */
function withAveragesOf<T>(layer: Layer, normalised: () => T): T {
  const known = [layer.movingMean, layer.movingVariance].map((moving) => [moving, moving.read().clone()] as const);
  const y = normalised();
  for (const [moving, value] of known) {
    moving.write(value);
    value.dispose();
  }
  return y;
}

function train(core: Core, layer: Layer, x: tf.Tensor): tf.Tensor {
  return core.tidy(() => {
    const [y, mean, variance] = batchNormTraining(core, x, layer.gamma.read(), layer.beta.read(), layer.epsilon);
    const average = (moving: tfl.LayerVariable, value: tf.Tensor): void => {
      const known = moving.read();
      moving.write(core.sub(known, core.mul(core.sub(known, value), 1 - layer.momentum)));
    };
    average(layer.movingMean, mean as tf.Tensor);
    average(layer.movingVariance, variance as tf.Tensor);
    return y as tf.Tensor;
  });
}
