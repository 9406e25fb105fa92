import path from "node:path";
import { afterAll, expect, it } from "vitest";
import { createContext } from "../../../../src/engine/context.ts";
import { writeAdversarial } from "../../../../src/engine/evaluation/write.ts";
import { readInspected } from "../../../../src/engine/jobs/inspected.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { startEngine } from "../../../../src/engine/session/engine.ts";
import { newWorkspace } from "../../../process/support.ts";

const workspace = newWorkspace();
afterAll(() => workspace.remove());

it("the images of a run are read again when its file is another one, and only then", async () => {
  const run = workspace.file("run");
  const [one, other] = ["one", "other"].map((seed) => createRandom(seed).uniforms(784)) as [Float32Array, Float32Array];
  const save = (clean: Float32Array, adversarial: Float32Array): Promise<void> => {
    const [label, prediction] = [Int32Array.of(7), Int32Array.of(3)];
    const images = { n: 1, inputShape: [28, 28, 1], clean: () => [clean], adversarial: () => [adversarial], label, prediction } as const;
    return writeAdversarial(path.join(run, "adversarial.npz"), images);
  };
  const engine = await startEngine("cpu");
  const model = path.resolve(import.meta.dirname, "../../../../samples/models/papernot");
  const about = { image: "seven.png", model, fit: null, defenses: [], seed: 1, run, iteration: null, folder: "" };
  const read = () => readInspected(about, engine, createContext());

  await save(one, other);
  const first = await read();
  expect([first.clean, first.adversarial]).toEqual([one, other]);
  expect((await read()).clean).toBe(first.clean);
  await save(other, one);
  const second = await read();
  expect([second.clean, second.adversarial]).toEqual([other, one]);
});
