import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { OnnxBackend } from "../../../../src/engine/backends/onnxruntime/backend.ts";
import { type AttackDatasetParams, attackDataset } from "../../../../src/engine/jobs/attackDataset.ts";
import { type Engine, startEngine } from "../../../../src/engine/session/engine.ts";
import { tf } from "../../../../src/engine/tf.ts";
import { newWorkspace } from "../../../process/support.ts";

const samples = path.resolve(import.meta.dirname, "../../../../samples");
const workspace = newWorkspace();
let engine: Engine;
beforeAll(async () => {
  engine = await startEngine("onnxruntime", "cpu");
});
afterAll(() => workspace.remove());

const attack = (directory: string) => {
  const params: AttackDatasetParams = {
    model: path.join(samples, "models/papernot"),
    images: [path.join(samples, "seven.png")],
    dataset: null,
    split: "test",
    limit: null,
    label: null,
    attack: { id: "fgsm", params: { eps: 0.3 } },
    defenses: [],
    mode: null,
    seed: 1,
    workspace: workspace.directory,
    directory,
  };
  return attackDataset(params, { engine, signal: new AbortController().signal });
};
const sessions = () => {
  const backend = tf.backend();
  if (!(backend instanceof OnnxBackend)) throw new Error("not our backend");
  return backend.sessions;
};

it("an attack on a picture without a label opens its network once and compiles one forward and one gradient graph of it", async () => {
  const [before, tensors] = [sessions().networkCompilations, tf.memory().numTensors];
  const { document } = await attack(path.join(workspace.directory, "first"));
  expect(document.n).toBe(1);
  expect(sessions().networkCompilations - before).toBe(2);
  expect(tf.memory().numTensors).toBe(tensors);
});

it("an attack that is refused after its network was opened closes it", async () => {
  const tensors = tf.memory().numTensors;
  await expect(attack(samples)).rejects.toMatchObject({ code: "RUN_EXISTS" });
  expect(tf.memory().numTensors).toBe(tensors);
});
