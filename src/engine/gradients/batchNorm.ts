import type { Core } from "./config.ts";

interface Layer {
  readonly scale: boolean;
  readonly center: boolean;
  readonly movingMean: { readonly shape: number[] };
}

/**
 * Lets batch normalisation without a scale or without an offset (Inception's has no scale) be trained and differentiated: tfjs reads the
 * missing variable in training, and saves the missing tensor for the gradient. The layer gets constants in their place.
 */
export function completeBatchNorm(core: Core): void {
  const [layer] = core.serialization.SerializationMap.getMap().classNameMap["BatchNormalization"] ?? [];
  const prototype: object | undefined = layer?.prototype;
  if (!prototype) return;
  const build = Reflect.get(prototype, "build") as (this: Layer, shape: unknown) => void;
  Reflect.set(prototype, "build", function (this: Layer, shape: unknown): void {
    build.call(this, shape);
    const size = this.movingMean.shape;
    if (!this.scale) Reflect.set(this, "gamma", { read: () => core.ones(size) });
    if (!this.center) Reflect.set(this, "beta", { read: () => core.zeros(size) });
  });
}
