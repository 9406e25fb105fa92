import { tf } from "../../tf.ts";
import { BoundedRelu } from "./boundedRelu.ts";

export { BoundedRelu } from "./boundedRelu.ts";

/** Layers that tfjs lacks. Registered by the name of their class: a saved network with one of them loads again in any process. */
const layers = [BoundedRelu] as const;

for (const layer of layers) tf.serialization.registerClass(layer);
