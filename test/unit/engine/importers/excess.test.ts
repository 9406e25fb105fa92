import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import "../../../../src/engine/backends/cpu.ts";
import { runNetwork } from "../../../../src/engine/classifier/graph.ts";
import { readHeader } from "../../../../src/engine/importers/artifacts.ts";
import { builtFrom } from "../../../../src/engine/importers/build.ts";
import { readTopology } from "../../../../src/engine/importers/topology/read.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";

let folder: string;
beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-excess-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

it("a manifest that names a file again and again is refused before any of it is opened", async () => {
  const file = path.join(folder, "model.json");
  const manifest = [{ paths: new Array<string>(20_000).fill("weights.bin"), weights: [] }];
  await fs.writeFile(file, JSON.stringify({ modelTopology: { class_name: "Sequential" }, weightsManifest: manifest }));
  await expect(readHeader(file)).rejects.toMatchObject({
    code: "MODEL_INVALID",
    message: `${file} names the weight file weights.bin twice.`,
  });
});

it("a network of more layers than any has is refused, and not built", async () => {
  const layer = (i: number) => ({
    class_name: "Activation",
    config: { name: `a${i}`, activation: "relu", ...(i === 0 ? { batch_input_shape: [null, 2] } : {}) },
  });
  const layers = Array.from({ length: 10_000 }, (_, i) => layer(i));
  const { topology } = readTopology({ class_name: "Sequential", config: { name: "s", layers } }, "deep.json");
  await expect(builtFrom(topology, 0, "deep.json", () => undefined)).rejects.toMatchObject({ code: "MODEL_TOO_LARGE" });
});

it("a network of thousands of layers behind one another is computed", () => {
  const layers = Array.from({ length: 2500 }, (_, i) =>
    tfl.layers.activation({ activation: "relu", ...(i === 0 ? { inputShape: [2] } : {}) }),
  );
  const network = tfl.sequential({ layers });
  expect([...runNetwork(network, tf.tensor2d([[-1, 3]])).dataSync()]).toEqual([0, 3]);
});
