import type { Native } from "./native.ts";
import { encodeModel } from "./onnx.ts";

/** onnxruntime's own operators on blocked channels; their version is 1. */
export const blockedDomain = "com.microsoft.nchwc";

/**
 * How many channels onnxruntime keeps side by side in its blocked layout on this processor (16 with AVX-512, 8 with AVX), or 0 where it
 * has none. It lays constant filters out that way by itself; for trainable ones our graphs do it, and must know the width. Found by
 * reordering channels that are numbered.
 */
export function blockedChannels(native: Native): number {
  const shape = [1, 16, 1, 2];
  const model = encodeModel({
    nodes: [{ type: "ReorderInput", domain: blockedDomain, inputs: ["x"], outputs: ["y"], attributes: {} }],
    initializers: [],
    inputs: [{ name: "x", dtype: "float32", shape }],
    outputs: [{ name: "y", dtype: "float32", shape }],
  });
  try {
    const session = native.create();
    session.loadModel(model.buffer, model.byteOffset, model.byteLength, { intraOpNumThreads: 1, logSeverityLevel: 4 });
    const x = Float32Array.from({ length: 32 }, (_, i) => i);
    const out = session.run({ x: native.tensor("float32", x, shape) }, { y: null }, {})["y"]?.data;
    session.dispose();
    if (out?.[1] !== 2) return 0;
    // Channel c of column w is number 2c + w: the second column begins where the block ends.
    const block = out.indexOf(1);
    return block === 8 || block === 16 ? block : 0;
  } catch {
    return 0;
  }
}
