import { readFileSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseEvents } from "../../src/shared/events.ts";
import { type DoctorReport, deviceNotification, protocolVersion, requests } from "../../src/shared/protocol.ts";
import type { RunReport } from "../../src/shared/results.ts";
import { bulwark, newWorkspace, readJson, start, startEngine, type Workspace, writeData } from "../process/support.ts";

const preload = path.join(import.meta.dirname, "faulty.cjs");
const failingAfter = (runs: number): NodeJS.ProcessEnv => ({ NODE_OPTIONS: `--require ${preload}`, TEST_GPU_RUNS: String(runs) });

let workspace: Workspace;
beforeAll(async () => {
  workspace = newWorkspace();
  await writeData(workspace, 24);
});
afterAll(() => workspace.remove());

test("the doctor names the device, and says why the others cannot be used", async () => {
  const { code, stdout } = await bulwark(workspace, "doctor", "--json");
  expect(code).toBe(0);
  const { devices, selectedDevice } = JSON.parse(stdout) as DoctorReport;
  expect(selectedDevice).toBe("cpu");
  expect(devices.find(({ name }) => name === "webgpu")).toMatchObject({ available: true, device: expect.any(String) });
  for (const { available, reason } of devices) expect(available || Boolean(reason)).toBe(true);
});

test("a run whose device is lost in training goes on on the CPU, tells it everywhere, and completes", async () => {
  const experiment = {
    name: "lost",
    seed: 5,
    dataset: { kind: "arrays", path: "data.npz", testShare: 0.25 },
    model: { kind: "lenet" },
    train: { epochs: 1, batchSize: 6, learningRate: 0.01, validation: 0 },
    attacks: [{ kind: "fgsm", eps: 0.1 }],
  };
  workspace.write("lost.bulwark.jsonc", JSON.stringify(experiment));
  const words = ["run", "lost.bulwark.jsonc", "--device", "webgpu", "--out", workspace.file("lost")];
  const { code, stderr } = await start(workspace, words, failingAfter(2)).finished;
  expect(stderr).toMatch(/on onnxruntime \(ONNX Runtime, WebGPU/);
  expect(stderr).toContain("warning: WebGPU failed while it computed (WebGPU device lost");
  expect(code).toBe(0);

  const events = parseEvents(readFileSync(workspace.file("lost/events.jsonl"), "utf8"));
  expect(events.filter((event) => event.kind === "warning")).toMatchObject([{ code: "DEVICE_FAILED" }]);
  expect(events.at(-1)?.kind).toBe("done");
  const report = readJson<RunReport>(workspace.file("lost/report.json"));
  expect(report.findings.filter(({ rule }) => rule === "RB507")).toMatchObject([{ severity: "warning" }]);
  expect(report.arms[0]?.attacks[0]?.n).toBe(6);
  expect(readFileSync(workspace.file("lost/report.html"), "utf8")).toContain("RB507");
});

test("the engine of the editor says what computes after its device was lost", async () => {
  process.env["TEST_GPU_RUNS"] = "1";
  const engine = startEngine(workspace, preload);
  delete process.env["TEST_GPU_RUNS"];
  try {
    const notified = new Promise<{ message: string; device: string }>((resolve) => {
      engine.connection.onNotification(deviceNotification, resolve);
    });
    const { device } = await engine.request(requests.handshake, { backend: "auto", device: "webgpu", protocol: protocolVersion });
    expect(device).toMatch(/^ONNX Runtime, WebGPU \(/);
    await engine.request(requests.warmUp, { model: workspace.file("lost") });
    expect(await notified).toMatchObject({
      message: expect.stringContaining("device lost"),
      device: expect.stringMatching(/CPU, \d+ thread/),
    });
  } finally {
    engine.end();
  }
});

test("a device that is not there is bad input with the reason, and nothing is run", async () => {
  const foreign = process.platform === "darwin" ? "directml" : "coreml";
  const words = ["run", "lost.bulwark.jsonc", "--device", foreign, "--out", workspace.file("none")];
  const { code, stderr } = await bulwark(workspace, ...words);
  expect(code).toBe(3);
  expect(stderr).toMatch(/^error BACKEND_UNAVAILABLE: The device .* cannot be used: ONNX Runtime's build for .* — Run `bulwark doctor`/m);
  expect(() => readFileSync(workspace.file("none/state.json"))).toThrow();
});
