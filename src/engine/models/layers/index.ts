import { tf } from "../../tf.ts";
import { BoundedRelu } from "./boundedRelu.ts";
import { Normalization } from "./normalization.ts";
import { OpaqueAlpha } from "./opaqueAlpha.ts";
import { CenterCrop, Resizing } from "./resizing.ts";
import { TwoClasses } from "./twoClasses.ts";

export { BoundedRelu } from "./boundedRelu.ts";
export { OpaqueAlpha } from "./opaqueAlpha.ts";
export { TwoClasses } from "./twoClasses.ts";

/**
 * Layers that tfjs lacks, or has wrong. Registered by the name of their class: a saved network with one of them loads again in any
 * process.
 */
const layers = [BoundedRelu, CenterCrop, Normalization, OpaqueAlpha, Resizing, TwoClasses] as const;

for (const layer of layers) tf.serialization.registerClass(layer);
