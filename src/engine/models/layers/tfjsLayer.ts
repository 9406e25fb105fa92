import { tf, type tfl } from "../../tf.ts";

type Class<L extends tfl.layers.Layer> = (new (
  config: tf.serialization.ConfigDict,
) => L) &
  Pick<tf.serialization.SerializableConstructor<tf.serialization.Serializable>, "className" | "fromConfig">;
const found = new Map<string, unknown>();

/** A layer class of tfjs, of which it exports the factory alone; as it was before one of ours took its name. */
export function tfjsLayer<L extends tfl.layers.Layer>(className: string): Class<L> {
  const known = found.get(className) ?? tf.serialization.SerializationMap.getMap().classNameMap[className]?.[0];
  if (!known) throw new Error(`tfjs has no layer class ${className}.`);
  found.set(className, known);
  return known as Class<L>;
}
