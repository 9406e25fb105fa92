import type { InputEvidence } from "./evidence.ts";

const signed = { mean: 127.5, scale: 127.5 };
/** Mean pixel of ImageNet in blue, green, red, taken off bytes. */
const caffe = { mean: [103.939, 116.779, 123.68], scale: 1, channels: "bgr" } as const;
const torch = { mean: [123.675, 116.28, 103.53], scale: [58.395, 57.12, 57.375] };

/**
 * How the networks of Keras Applications take their images, by the names that Keras gives them. Those that begin with a layer of their own
 * (EfficientNet, MobileNetV3, ConvNeXt) are not here. Source: `preprocess_input` of each in keras/applications.
 */
const networks: readonly (readonly [RegExp, InputEvidence["input"]])[] = [
  [/^mobilenet(v2)?_\d\.\d\d_\d+$/, signed],
  [/^(inception_v3|inception_resnet_v2|xception|nasnet(_large|_mobile)?)$/i, signed],
  [/^resnet(50|101|152)v2$/, signed],
  [/^(resnet(50|101|152)|vgg1[69])$/, { ...caffe, mean: [...caffe.mean] }],
  [/^densenet(121|169|201)$/, torch],
];

/** For a whole network of that name with ImageNet's 1000 outputs: what was built on top of one has another name, and another head. */
export function kerasApplication(name: string, outputs: number | null): InputEvidence | null {
  const found = outputs === 1000 ? networks.find(([pattern]) => pattern.test(name)) : undefined;
  return found ? { source: { kind: "known", text: `Keras Applications' ${name}` }, input: found[1] } : null;
}
