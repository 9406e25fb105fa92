import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../../src/engine/backends/index.ts";
import { openReference } from "../../../../../src/engine/backends/onnxruntime/reference.ts";
import { loadNetwork } from "../../../../../src/engine/importers/index.ts";
import { weightless } from "../../../../../src/engine/importers/onnx/mapped.ts";
import { createRandom } from "../../../../../src/engine/random.ts";
import { tf } from "../../../../../src/engine/tf.ts";
import { node, numbers, onnx, type Spec } from "./encoder.ts";

let folder: string;
beforeAll(async () => {
  await useBackend("cpu");
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-onnx-mapped-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

const random = createRandom("weights");
/** 2310 and 30 weights, of which the former are more than 4 kB. */
const network: Spec = {
  nodes: [node("Conv", "x k", "c"), node("GlobalAveragePool", "c", "m"), node("Flatten", "m", "f"), node("Gemm", "f w b", "y")],
  initializers: {
    k: numbers([10, 3, 7, 11], ...random.uniforms(2310, -1, 1)),
    w: numbers([10, 3], ...random.uniforms(30, -1, 1)),
    b: numbers([3], 0.5, 0, -1),
  },
  input: ["b", 3, 12, 12],
};

describe("a large ONNX file", () => {
  it("is opened by ONNX Runtime without its weights in the model, which is a small one, and gives the same scores", async () => {
    const file = path.join(folder, "net work.onnx");
    await fs.writeFile(file, onnx(network));
    const { model, folder: place } = weightless(file);
    expect([(await fs.stat(file)).size > 9240, model.length < 1000]).toEqual([true, true]);
    expect(place).toBe(await fs.realpath(folder));
    const pixels = random.uniforms(432);
    const scores = async (from: Parameters<typeof openReference>[0]): Promise<number[]> => {
      const reference = await openReference(from);
      const found = await reference?.run({ name: "x", type: "float32", data: Float32Array.from(pixels), dims: [1, 3, 12, 12] });
      await reference?.close();
      return Array.from(found?.["y"]?.data ?? []);
    };
    const whole = await scores(file);
    expect(whole).toHaveLength(3);
    expect(await scores({ model, folder: place })).toEqual(whole);
  });

  it("is compared with ONNX Runtime before its weights are read", async () => {
    const file = path.join(folder, "large.onnx");
    await fs.writeFile(file, Buffer.concat([onnx(network), padding(64 << 20)]));
    const seen: string[] = [];
    const watch = ({ stage }: { stage: string }): void => void (seen.at(-1) === stage || seen.push(stage));
    const { network: built, comparison } = await loadNetwork(file, undefined, { watch });
    expect(seen).toEqual(["scores", "weights"]);
    expect(comparison?.difference).toBeLessThan(1e-5);
    const scores = tf.tidy(() => (built.predict(tf.fill([1, 12, 12, 3], 0.5)) as tf.Tensor).dataSync());
    expect(scores).toHaveLength(3);
    built.dispose();
  });
});

/** A `doc_string` (field 6) of so many bytes. */
function padding(length: number): Buffer {
  const varint: number[] = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 128)) varint.push(rest > 127 ? (rest % 128) | 128 : rest);
  return Buffer.concat([Buffer.from([(6 << 3) | 2, ...varint]), Buffer.alloc(length, 32)]);
}
