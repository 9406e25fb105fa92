import { tf } from "../../tf.ts";
import { BoundedRelu } from "./boundedRelu.ts";
import { Conv2D, DepthwiseConv2D } from "./dilated.ts";
import { ELU } from "./elu.ts";
import { Flatten } from "./flatten.ts";
import { GlobalAveragePooling2D, GlobalMaxPooling2D } from "./globalPooling.ts";
import { BatchNormalization, LayerNormalization } from "./normalisations.ts";
import { Normalization } from "./normalization.ts";
import { OpaqueAlpha } from "./opaqueAlpha.ts";
import { CenterCrop, Resizing } from "./resizing.ts";
import { SliceDense } from "./sliceDense.ts";
import { Softmax } from "./softmax.ts";
import { TwoClasses } from "./twoClasses.ts";
import { UpSampling2D } from "./upSampling.ts";

export { BoundedRelu } from "./boundedRelu.ts";
export { OpaqueAlpha } from "./opaqueAlpha.ts";
export { SliceDense } from "./sliceDense.ts";
export { TwoClasses } from "./twoClasses.ts";
export { UpSampling2D } from "./upSampling.ts";

/**
 * Layers that tfjs lacks, or has wrong. Registered by the name of their class: a saved network with one of them loads again in any
 * process.
 */
const layers = [
  BatchNormalization,
  BoundedRelu,
  CenterCrop,
  Conv2D,
  DepthwiseConv2D,
  ELU,
  Flatten,
  GlobalAveragePooling2D,
  GlobalMaxPooling2D,
  LayerNormalization,
  Normalization,
  OpaqueAlpha,
  Resizing,
  SliceDense,
  Softmax,
  TwoClasses,
  UpSampling2D,
] as const;

for (const layer of layers) tf.serialization.registerClass(layer);
