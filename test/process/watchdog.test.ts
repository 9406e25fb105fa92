import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createWarmEngine, type WarmEngine } from "../../src/extension/engine/engine.ts";
import { startEngine } from "../../src/extension/engine/process.ts";
import type { Patience } from "../../src/extension/engine/watchdog.ts";
import { requests } from "../../src/shared/protocol.ts";
import { dist, newWorkspace, type Workspace } from "./support.ts";

let workspace: Workspace;
let engine: WarmEngine | undefined;
beforeEach(() => {
  workspace = newWorkspace();
});
afterEach(() => {
  engine?.stop();
  workspace.remove();
});

const warm = (patience: Patience): WarmEngine => {
  const location = { file: `${dist}/engine.cjs`, execPath: process.execPath, env: {} };
  const start = () => startEngine({ location, cwd: workspace.directory, backend: "cpu", device: "auto", log: () => undefined });
  engine = createWarmEngine(start, () => undefined, patience);
  return engine;
};

describe("an engine that is deaf", () => {
  it("is ended and started again, and the error names the file", async () => {
    const one = warm({ seconds: 1, secondsPerMegabyte: 0, everySeconds: 0.25, graceSeconds: 1 });
    const first = await one.get();
    process.kill(first.pid, "SIGSTOP"); // as deaf as one that computes without end
    const model = workspace.file("heavy/model.json");
    const answers = [one.request(requests.inspectModel, { model }), one.request(requests.list, {})];
    for (const answer of answers)
      await expect(answer).rejects.toMatchObject({
        code: "ENGINE_EXITED",
        message: expect.stringMatching(/did not answer for \d+ seconds? while it worked on .*heavy.model\.json, and was ended/),
        fix: expect.stringContaining("It has restarted"),
      });
    const second = await one.get();
    expect(second.pid).not.toBe(first.pid);
    await expect(one.request(requests.inspectModel, { model })).rejects.toMatchObject({ code: "FILE_NOT_FOUND" });
  });

  it("for less than its work may take goes on", async () => {
    // More patience with a model of two megabytes: 1 + 2 × 100 seconds.
    workspace.write("model.json", Buffer.alloc(2e6));
    const one = warm({ seconds: 1, secondsPerMegabyte: 100, everySeconds: 0.25, graceSeconds: 1 });
    const { pid } = await one.get();
    process.kill(pid, "SIGSTOP");
    const answer = one.request(requests.inspectModel, { model: workspace.file("model.json") });
    const woken = new Promise((resolve) => setTimeout(resolve, 3000)).then(() => process.kill(pid, "SIGCONT"));
    await expect(answer).rejects.toMatchObject({ code: "MODEL_INVALID" });
    await woken;
    expect((await one.get()).pid).toBe(pid);
  });
});
