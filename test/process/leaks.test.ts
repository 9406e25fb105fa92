import { cpSync, readFileSync, rmSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { writePng } from "../../src/engine/io/png.ts";
import { createRandom } from "../../src/engine/random.ts";
import { BulwarkError } from "../../src/shared/errors.ts";
import { requests } from "../../src/shared/protocol.ts";
import { type EngineHandle, newWorkspace, startEngine, type Workspace } from "./support.ts";

const papernot = path.resolve(import.meta.dirname, "../../samples/models/papernot");
const [models, pictures] = [3, 40];
let workspace: Workspace;
let engine: EngineHandle;

beforeAll(async () => {
  workspace = newWorkspace();
  for (let i = 0; i < models; i++) cpSync(papernot, workspace.file(`model-${i}`), { recursive: true });
  const random = createRandom(7);
  for (let i = 0; i < pictures; i++) {
    const pixels = Uint8Array.from({ length: 28 * 28 }, () => random.integer(256));
    await writePng(workspace.file(`${i}.png`), pixels, 28, 28, 1);
  }
  engine = startEngine(workspace);
  await engine.handshake("onnxruntime");
});
afterAll(() => {
  engine.end();
  workspace.remove();
});

/** Resident memory of the engine in MB, and its open files. */
function held(): { readonly memory: number; readonly files: number } {
  const status = readFileSync(`/proc/${engine.child.pid}/status`, "utf8");
  const files = /^FDSize:\s+(\d+)/m.exec(status)?.[1];
  return { memory: Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1024, files: Number(files) };
}

/** One attack in 30 is cancelled on the way, one in 50 asks for a picture that is not there. */
async function attack(i: number): Promise<void> {
  const random = createRandom(`attack ${i}`);
  const eps = 0.001 + 0.3 * random.next();
  const iterated = { id: "pgd", params: { eps, steps: 1 + random.integer(6), stepSize: eps / 3 } };
  const directory = workspace.file(`run-${i}`);
  const stop = new AbortController();
  if (random.integer(30) === 0) setTimeout(() => stop.abort(), random.integer(40));
  const image = random.integer(50) === 0 ? "none.png" : `${random.integer(pictures)}.png`;
  const asked = {
    ...{ image: workspace.file(image), model: workspace.file(`model-${random.integer(models)}`), directory, seed: 1, token: `t${i}` },
    attack: random.integer(3) === 0 ? iterated : { id: "fgsm", params: { eps } },
  };
  await engine.request(requests.attackImage, asked, stop.signal).catch((thrown: unknown) => {
    if (!(thrown instanceof BulwarkError && ["CANCELLED", "FILE_NOT_FOUND"].includes(thrown.code))) throw thrown;
  });
  rmSync(directory, { recursive: true, force: true });
}

// What is kept for each attack would show in 120 of them: a model is 1.2 MB, a picture and its run some kilobytes.
it.runIf(process.platform === "linux")("the warm engine holds no more after many attacks than after the first ones", async () => {
  for (let i = 0; i < 60; i++) await attack(i);
  const before = held();
  for (let i = 60; i < 180; i++) await attack(i);
  const after = held();
  expect(after.memory).toBeLessThan(1.1 * before.memory);
  expect(after.files).toBeLessThanOrEqual(2 * before.files);
});
