import { tf } from "../../tf.ts";
import { Affine } from "./affine.ts";
import { AppendConstant } from "./appendConstant.ts";
import { AvgPoolPad } from "./avgPoolPad.ts";
import { BatchBroadcast } from "./batchBroadcast.ts";
import { BatchReshape } from "./batchReshape.ts";
import { Binary } from "./binary.ts";
import { BoundedRelu } from "./boundedRelu.ts";
import { ChannelShuffle } from "./channelShuffle.ts";
import { Clip } from "./clip.ts";
import { CompactConv2D } from "./compactConv2d.ts";
import { CompactConv3D } from "./compactConv3d.ts";
import { CompactDense } from "./compactDense.ts";
import { Conv2D, DepthwiseConv2D } from "./dilated.ts";
import { Elementwise } from "./elementwise.ts";
import { ELU } from "./elu.ts";
import { FakeQuantize } from "./fakeQuantize.ts";
import { Flatten } from "./flatten.ts";
import { GatherConstant } from "./gatherConstant.ts";
import { Gelu } from "./gelu.ts";
import { GlobalAveragePooling2D, GlobalMaxPooling2D } from "./globalPooling.ts";
import { GroupedConv2D } from "./groupedConv2d.ts";
import { GroupNormalization } from "./groupNormalization.ts";
import { Hardmax } from "./hardmax.ts";
import { LocalResponseNormalization } from "./localResponse.ts";
import { MatMul } from "./matMul.ts";
import { MaxPoolPad } from "./maxPoolPad.ts";
import { BatchNormalization, LayerNormalization } from "./normalisations.ts";
import { Normalization } from "./normalization.ts";
import { OpaqueAlpha } from "./opaqueAlpha.ts";
import { Pad2D } from "./pad2d.ts";
import { Reduce } from "./reduce.ts";
import { Resize2D } from "./resize2d.ts";
import { CenterCrop, Resizing } from "./resizing.ts";
import { RuntimeScores } from "./runtimeScores.ts";
import { Select } from "./select.ts";
import { SliceDense } from "./sliceDense.ts";
import { SliceLayer } from "./sliceLayer.ts";
import { Softmax } from "./softmax.ts";
import { TwoClasses } from "./twoClasses.ts";
import { UpSampling2D } from "./upSampling.ts";
import { ZeroPadding3D } from "./zeroPadding3d.ts";

export { Affine } from "./affine.ts";
export { AppendConstant } from "./appendConstant.ts";
export { AvgPoolPad } from "./avgPoolPad.ts";
export { BatchBroadcast } from "./batchBroadcast.ts";
export { BatchReshape } from "./batchReshape.ts";
export { Binary, type BinaryOperation } from "./binary.ts";
export { BoundedRelu } from "./boundedRelu.ts";
export { ChannelShuffle } from "./channelShuffle.ts";
export { Clip } from "./clip.ts";
export { CompactConv2D } from "./compactConv2d.ts";
export { CompactConv3D } from "./compactConv3d.ts";
export { CompactDense } from "./compactDense.ts";
export { Elementwise, type Operation } from "./elementwise.ts";
export { FakeQuantize } from "./fakeQuantize.ts";
export { GatherConstant } from "./gatherConstant.ts";
export { Gelu } from "./gelu.ts";
export { GroupedConv2D } from "./groupedConv2d.ts";
export { GroupNormalization } from "./groupNormalization.ts";
export { Hardmax } from "./hardmax.ts";
export { LocalResponseNormalization } from "./localResponse.ts";
export { MatMul } from "./matMul.ts";
export { MaxPoolPad } from "./maxPoolPad.ts";
export { OpaqueAlpha } from "./opaqueAlpha.ts";
export { Pad2D, type PadMode, placeOf } from "./pad2d.ts";
export { Reduce, type Reduction } from "./reduce.ts";
export { Resize2D } from "./resize2d.ts";
export { RuntimeScores } from "./runtimeScores.ts";
export { Select } from "./select.ts";
export { SliceDense } from "./sliceDense.ts";
export { SliceLayer } from "./sliceLayer.ts";
export { TwoClasses } from "./twoClasses.ts";
export { UpSampling2D } from "./upSampling.ts";
export { withOverhang } from "./windows.ts";
export { ZeroPadding3D } from "./zeroPadding3d.ts";

/**
 * Layers that tfjs lacks, or has wrong. Registered by the name of their class: a saved network with one of them loads again in any
 * process.
 */
const layers = [
  Affine,
  AppendConstant,
  AvgPoolPad,
  BatchBroadcast,
  BatchNormalization,
  BatchReshape,
  Binary,
  BoundedRelu,
  CenterCrop,
  ChannelShuffle,
  Clip,
  CompactConv2D,
  CompactConv3D,
  CompactDense,
  Conv2D,
  DepthwiseConv2D,
  ELU,
  Elementwise,
  FakeQuantize,
  Flatten,
  GatherConstant,
  Gelu,
  GlobalAveragePooling2D,
  GlobalMaxPooling2D,
  GroupedConv2D,
  GroupNormalization,
  Hardmax,
  LayerNormalization,
  LocalResponseNormalization,
  MatMul,
  MaxPoolPad,
  Normalization,
  OpaqueAlpha,
  Pad2D,
  Reduce,
  Resize2D,
  Resizing,
  RuntimeScores,
  Select,
  SliceDense,
  SliceLayer,
  Softmax,
  TwoClasses,
  UpSampling2D,
  ZeroPadding3D,
] as const;

for (const layer of layers) tf.serialization.registerClass(layer, "Bulwark");
