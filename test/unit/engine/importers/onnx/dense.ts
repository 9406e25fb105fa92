import { channelsFirst, node, numbers, type Spec } from "./encoder.ts";

/** y = x·w + b on pictures of 1×2 pixels and two channels. */
export const dense = (o: Partial<Spec> = {}): Spec => ({
  nodes: [node("Flatten", "x", "f"), node("Gemm", "f w b", "y")],
  initializers: { w: numbers([4, 2], 1, 0, 0, 1, 2, 0, 0, -1), b: numbers([2], 0.5, -0.5) },
  input: ["b", 2, 1, 2],
  ...o,
});
export const picture = () => channelsFirst([1, 2, 3, 4], [1, 2, 1, 2]);
export const layout = { input: { layout: "nchw" as const } };
export const scores = [1 + 6 + 0.5, 2 - 4 - 0.5];
