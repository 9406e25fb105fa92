import { tf } from "../../tf.ts";
import { Affine } from "./affine.ts";
import { AvgPoolPad } from "./avgPoolPad.ts";
import { Binary } from "./binary.ts";
import { BoundedRelu } from "./boundedRelu.ts";
import { Clip } from "./clip.ts";
import { Conv2D, DepthwiseConv2D } from "./dilated.ts";
import { Elementwise } from "./elementwise.ts";
import { ELU } from "./elu.ts";
import { Flatten } from "./flatten.ts";
import { GlobalAveragePooling2D, GlobalMaxPooling2D } from "./globalPooling.ts";
import { GroupedConv2D } from "./groupedConv2d.ts";
import { MaxPoolPad } from "./maxPoolPad.ts";
import { BatchNormalization, LayerNormalization } from "./normalisations.ts";
import { Normalization } from "./normalization.ts";
import { OpaqueAlpha } from "./opaqueAlpha.ts";
import { CenterCrop, Resizing } from "./resizing.ts";
import { SliceDense } from "./sliceDense.ts";
import { SliceLayer } from "./sliceLayer.ts";
import { Softmax } from "./softmax.ts";
import { TwoClasses } from "./twoClasses.ts";
import { UpSampling2D } from "./upSampling.ts";

export { Affine } from "./affine.ts";
export { AvgPoolPad } from "./avgPoolPad.ts";
export { Binary } from "./binary.ts";
export { BoundedRelu } from "./boundedRelu.ts";
export { Clip } from "./clip.ts";
export { Elementwise } from "./elementwise.ts";
export { GroupedConv2D } from "./groupedConv2d.ts";
export { MaxPoolPad } from "./maxPoolPad.ts";
export { OpaqueAlpha } from "./opaqueAlpha.ts";
export { SliceDense } from "./sliceDense.ts";
export { SliceLayer } from "./sliceLayer.ts";
export { TwoClasses } from "./twoClasses.ts";
export { UpSampling2D } from "./upSampling.ts";
export { withOverhang } from "./windows.ts";

/**
 * Layers that tfjs lacks, or has wrong. Registered by the name of their class: a saved network with one of them loads again in any
 * process.
 */
const layers = [
  Affine,
  AvgPoolPad,
  BatchNormalization,
  Binary,
  BoundedRelu,
  CenterCrop,
  Clip,
  Conv2D,
  DepthwiseConv2D,
  ELU,
  Elementwise,
  Flatten,
  GlobalAveragePooling2D,
  GlobalMaxPooling2D,
  GroupedConv2D,
  LayerNormalization,
  MaxPoolPad,
  Normalization,
  OpaqueAlpha,
  Resizing,
  SliceDense,
  SliceLayer,
  Softmax,
  TwoClasses,
  UpSampling2D,
] as const;

for (const layer of layers) tf.serialization.registerClass(layer, "Bulwark");
