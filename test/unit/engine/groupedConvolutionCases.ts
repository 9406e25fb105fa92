import { groupedConv2d } from "../../../src/engine/tf.ts";
import { type Case, cubes, t4 } from "./gradientCases.ts";

const kernels = ["GroupedConv2D", "GroupedConv2DBackpropInput", "GroupedConv2DBackpropFilter"];

const grouped = (
  name: string,
  { image, filter, ...attributes }: { image: number[]; filter: number[] } & Parameters<typeof groupedConv2d>[2],
): Case => ({
  name: `grouped convolution, ${name}`,
  gradients: kernels,
  shapes: [image, filter],
  f: (x, w) => cubes(groupedConv2d(t4(x), t4(w), attributes)),
});

/** In onnxruntime's blocks there are 8 or 16 channels, so groups of 4 and 8 stand together there, and groups of 3 nowhere. */
export const groupedCases: Case[] = [
  grouped("three groups", { image: [2, 4, 5, 6], filter: [3, 2, 2, 9], strides: [1, 1], pad: "same", groups: 3 }),
  grouped("strides", { image: [1, 5, 6, 6], filter: [3, 3, 3, 4], strides: [2, 2], pad: "same", groups: 2 }),
  grouped("strides beyond the kernel", { image: [1, 6, 7, 4], filter: [2, 1, 2, 4], strides: [3, 2], pad: "valid", groups: 2 }),
  grouped("four groups in a block", { image: [1, 3, 3, 16], filter: [2, 2, 4, 16], strides: [1, 1], pad: "same", groups: 4 }),
  grouped("whole blocks, strides", { image: [1, 2, 5, 32], filter: [1, 3, 16, 32], strides: [1, 2], pad: "same", groups: 2 }),
  grouped("more filters than channels", { image: [1, 3, 4, 16], filter: [1, 2, 8, 32], strides: [1, 1], pad: "valid", groups: 2 }),
];
