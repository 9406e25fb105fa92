import type { tf } from "../../../../../src/engine/tf.ts";
import { channelsFirst, ints, type NodeSpec, node, numbers, type Spec, type Tensor } from "./encoder.ts";

export const nine = [1, 2, 3, 4, 5, 6, 7, 8, 9];
export const kernel = numbers([1, 1, 2, 2], 1, 2, 3, -1);
/** 1×1 pixels with so many channels: a list of numbers. */
export const line = (...values: number[]) => ({ x: values, shape: [1, values.length, 1, 1] as const });
export const grid = (values: readonly number[], side: number) => ({ x: values, shape: [1, 1, side, side] as const });
export interface Case {
  readonly name: string;
  readonly nodes: readonly NodeSpec[];
  readonly with?: Readonly<Record<string, Tensor>>;
  readonly given: { readonly x: readonly number[]; readonly shape: readonly [number, number, number, number] };
  readonly gives: readonly number[];
  readonly opset?: number;
}
/** The nodes lead from x to v, which is made a list of scores. */
export const specOf = ({ nodes, with: initializers = {}, given, opset }: Case): Spec => {
  const isFour = given.shape.join() === "1,4,1,1"; // an input of four channels would be taken for RGBA
  const renamed = nodes.map((n) => ({ ...n, inputs: n.inputs.map((name) => (isFour && name === "x" ? "x4" : name)) }));
  return {
    nodes: [...(isFour ? [node("Reshape", "x s4", "x4")] : []), ...renamed, node("Flatten", "v", "y")],
    initializers: { ...initializers, ...(isFour ? { s4: ints(-1, 4, 1, 1) } : {}) },
    input: ["b", ...(isFour ? [1, 2, 2] : given.shape.slice(1))],
    ...(opset ? { opset } : {}),
  };
};
/** Pictures of a case in the order in which its network takes them. */
export const given = ({ given: { x, shape } }: Case): tf.Tensor => channelsFirst(x, shape.join() === "1,4,1,1" ? [1, 1, 2, 2] : shape);
export const layout = { input: { layout: "nchw" as const } };
export const conv = (attributes: NodeSpec["attributes"]) => [node("Conv", "x k", "v", attributes)];
export const one = (op: string, attributes: NodeSpec["attributes"] = {}, inputs = "x") => [node(op, inputs, "v", attributes)];
export const x3 = grid(nine, 3);
export const four = grid([...Array(16).keys()], 4);
/** Of 2×2 pixels: 1 2 / 3 4. */
export const two = grid([1, 2, 3, 4], 2);
