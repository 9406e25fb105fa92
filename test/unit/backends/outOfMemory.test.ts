import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { fgsm } from "../../../src/engine/attacks/fgsm.ts";
import { type DeviceWarning, isOutOfMemory, onDeviceWarning } from "../../../src/engine/backends/failures.ts";
import { largestBatch, useBackend } from "../../../src/engine/backends/index.ts";
import { classifierOf } from "../../../src/engine/classifier/network.ts";
import { resolveParams } from "../../../src/engine/define/index.ts";
import { attackInHalves } from "../../../src/engine/harness/halving.ts";
import { attackBatch } from "../../../src/engine/harness/runAttack.ts";
import { createRandom } from "../../../src/engine/random.ts";
import { tf, tfl } from "../../../src/engine/tf.ts";
import { attackContext } from "../engine/fixtures.ts";

const [side, n] = [128, 96];
const { conv2d, flatten, dense, maxPooling2d } = tfl.layers;
const network = (): tfl.LayersModel =>
  tfl.sequential({
    layers: [
      conv2d({ inputShape: [side, side, 1], filters: 32, kernelSize: 3, padding: "same", activation: "relu" }),
      conv2d({ filters: 32, kernelSize: 3, padding: "same", activation: "relu" }),
      maxPooling2d({ poolSize: 8 }),
      flatten(),
      dense({ units: 3 }),
    ],
  });

/** Holds this process to `bytes` of memory beside what it has; undefined lifts the bound. */
function limit(bytes?: number): void {
  const kilobytes = Number(/VmSize:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))?.[1]);
  const wanted = bytes === undefined ? "unlimited" : String(1024 * kilobytes + bytes);
  const done = spawnSync("prlimit", ["--pid", String(process.pid), `--as=${wanted}:unlimited`], { encoding: "utf8" });
  if (done.status !== 0) throw new Error(`prlimit: ${done.error?.message ?? done.stderr}`);
}

// Only Linux can bound the memory of a process that runs.
if (process.platform === "linux")
  it("a batch for which memory runs out is attacked in halves, and in halves of these, with the same result", async () => {
    process.env["BULWARK_THREADS"] = "1"; // every further thread reserves address space of its own
    await useBackend("onnxruntime", "cpu");
    const model = classifierOf(network(), { contract: { input: {} }, outputs: "logits" });
    const params = resolveParams(fgsm.params, { eps: 0.1 }, "fgsm");
    const labels = Int32Array.from({ length: n }, (_, i) => i % 3);
    const batch = { images: createRandom(3).uniforms(n * side * side, 0, 1), labels, n };
    const task = { attack: fgsm, params, model, batch, firstIndex: 0, seedName: "fgsm" };
    const warnings: DeviceWarning[] = [];
    const stop = onDeviceWarning((warning) => warnings.push(warning));
    const evaluations = { ...model.evaluations };
    limit(400 * 2 ** 20);
    const found = await attackInHalves(task, attackContext()).finally(() => limit());
    stop();
    const counted = model.evaluations.gradient - evaluations.gradient;
    expect(warnings.length).toBeGreaterThanOrEqual(2);
    expect(warnings[0]?.message).toMatch(/^Memory ran out with 96 images at once \(.*\); half as many are tried\.$/);
    expect(warnings[1]?.message).toMatch(/^Memory ran out with 48 images at once/);
    expect(largestBatch()).toBeLessThanOrEqual(24);
    expect(counted).toBe(n);

    const wanted = await attackBatch(task, attackContext());
    expect(found.records.map(({ index, success, prediction }) => [index, success, prediction])).toEqual(
      wanted.records.map(({ index, success, prediction }) => [index, success, prediction]),
    );
    const differing = found.adversarial.filter((value, i) => Math.abs(value - (wanted.adversarial[i] ?? Number.NaN)) > 1e-6).length;
    expect(differing / found.adversarial.length).toBeLessThan(1e-3); // signs of gradients next to zero
    model.dispose();
    tf.removeBackend("onnxruntime");
  });

it("only a lack of memory counts as one", () => {
  expect(isOutOfMemory(new Error("BFCArena::AllocateRawInternal Failed to allocate memory for requested buffer of size 28901376"))).toBe(
    true,
  );
  expect(isOutOfMemory(new Error("std::bad_alloc"))).toBe(true);
  expect(isOutOfMemory(new RangeError("Array buffer allocation failed"))).toBe(true);
  expect(isOutOfMemory(new Error("Non-zero status code returned while running Conv node. Name:''"))).toBe(false);
});
