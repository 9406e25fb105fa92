import { expect, test } from "vitest";
import { probeBackends, useBackend } from "../../../src/engine/backends/index.ts";
import { tf } from "../../../src/engine/tf.ts";

test.each(["cpu", "wasm"] as const)("%s starts and computes", async (name) => {
  expect((await useBackend(name)).name).toBe(name);
  expect(tf.getBackend()).toBe(name);
  expect(Array.from(tf.add([1, 2], [3, 4]).dataSync())).toEqual([4, 6]);
});

test("auto finds a backend", async () => {
  const choice = await useBackend("auto");
  expect(["onnxruntime", "wasm", "cpu"]).toContain(choice.name);
});

test("a backend that is not installed is a clear error", async () => {
  await expect(useBackend("tensorflow")).rejects.toMatchObject({ code: "BACKEND_UNAVAILABLE" });
});

test("the probe names all four and says why one is missing", async () => {
  const reports = await probeBackends();
  expect(reports.map((report) => report.name)).toEqual(["onnxruntime", "tensorflow", "wasm", "cpu"]);
  for (const report of reports) expect(report.available ? report.device : report.reason).toBeTruthy();
});
