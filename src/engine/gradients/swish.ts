import type { tf } from "../tf.ts";
import type { Core } from "./config.ts";

/** Removes swish's multiplication by a factor of 1, which tfjs computes and differentiates over whole feature maps. */
export function plainSwish(core: Core): void {
  const [activation] = core.serialization.SerializationMap.getMap().classNameMap["swish"] ?? [];
  const prototype: object | undefined = activation?.prototype;
  if (!prototype) return;
  const apply = Reflect.get(prototype, "apply") as (x: tf.Tensor, alpha?: number) => tf.Tensor;
  Reflect.set(
    prototype,
    "apply",
    (x: tf.Tensor, alpha = 1): tf.Tensor => (alpha === 1 ? core.tidy(() => core.mul(core.sigmoid(x), x)) : apply(x, alpha)),
  );
}
