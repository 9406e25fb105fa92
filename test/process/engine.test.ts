import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { startEngine as startForEditor } from "../../src/extension/engine/process.ts";
import { protocolVersion, requests, runProgress } from "../../src/shared/protocol.ts";
import type { RunState } from "../../src/shared/runs.ts";
import { writeExperiment } from "./experiment.ts";
import { dist, type EngineHandle, newWorkspace, readJson, startEngine, type Workspace } from "./support.ts";

let workspace: Workspace;
let engine: EngineHandle | null = null;
beforeEach(() => {
  workspace = newWorkspace();
});
afterEach(() => {
  engine?.end();
  engine = null;
  workspace.remove();
});
const started = (preload?: string): EngineHandle => {
  engine = startEngine(workspace, preload);
  return engine;
};

describe("the engine process", () => {
  it("says what it is, and refuses another protocol", async () => {
    const handle = started();
    const answer = await handle.handshake();
    expect(answer).toMatchObject({ protocol: protocolVersion, backend: "cpu", pid: handle.child.pid, node: process.versions.node });
    expect(answer.version).toMatch(/^\d+\.\d+\.\d+/);
    const wrong = handle.request(requests.handshake, { backend: "cpu", protocol: protocolVersion + 1 });
    await expect(wrong).rejects.toMatchObject({ code: "ENGINE_START", fix: expect.stringMatching(/version/) });
  });

  it("is not disturbed by noise on stdout", async () => {
    const noise = `setInterval(() => process.stdout.write('Content-Length: 9\\r\\n\\r\\n{"jsonrpc":"2.0","id":0,"result":"noise"}\\n'), 1).unref();`;
    const handle = started(workspace.write("noise.cjs", noise));
    await handle.handshake();
    const catalog = await handle.request(requests.list, {});
    const plain = startEngine(workspace);
    try {
      expect(catalog).toEqual(await plain.request(requests.list, {}));
    } finally {
      plain.end();
    }
    expect(catalog.length).toBeGreaterThan(10);
    expect(handle.output().length).toBeGreaterThan(1000);
  });

  it("stops a cancelled run within a step, writes that down, and takes the next request", async () => {
    await writeExperiment(workspace, { train: { epochs: 500, batchSize: 8 } });
    const handle = started();
    await handle.handshake("onnxruntime");
    const directory = workspace.file("run");
    const abort = new AbortController();
    const kinds: string[] = [];
    handle.connection.onProgress(runProgress, "run", (event) => {
      kinds.push(event.kind);
      if (event.kind === "step") abort.abort();
    });
    const file = workspace.file("small.bulwark.jsonc");
    const params = { file, mode: "run", workspace: workspace.directory, backend: "auto", directory } as const;
    await expect(handle.request(requests.runExperiment, params, abort.signal)).rejects.toMatchObject({ code: "CANCELLED" });
    expect(kinds.filter((kind) => kind === "step").length).toBeLessThanOrEqual(3);
    expect(kinds.at(-1)).toBe("cancelled");
    expect(readJson<RunState>(`${directory}/state.json`)).toMatchObject({ status: "cancelled" });
    expect((await handle.request(requests.list, {})).length).toBeGreaterThan(10);
  });

  it("never starts a request that was cancelled while it waited", async () => {
    await writeExperiment(workspace, { train: { epochs: 500, batchSize: 8 } });
    const handle = started();
    await handle.handshake("onnxruntime");
    const [first, second] = [new AbortController(), new AbortController()];
    const run = (name: string, signal: AbortSignal) =>
      handle.request(
        requests.runExperiment,
        {
          file: workspace.file("small.bulwark.jsonc"),
          mode: "run",
          workspace: workspace.directory,
          backend: "auto",
          directory: workspace.file(name),
        },
        signal,
      );
    handle.connection.onProgress(runProgress, "run", (event) => {
      if (event.kind !== "step") return;
      second.abort();
      first.abort();
    });
    const outcomes = await Promise.allSettled([run("one", first.signal), run("two", second.signal)]);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    expect(() => readFileSync(workspace.file("two/state.json"))).toThrow(/ENOENT/);
  });

  it("ends when nobody is connected any more", async () => {
    const handle = started();
    await handle.handshake();
    const exit = new Promise((resolve) => handle.child.once("exit", resolve));
    handle.child.disconnect();
    expect(await exit).toBe(0);
  });

  it("that dies makes open requests fail with ENGINE_EXITED and its last words", async () => {
    await writeExperiment(workspace, { train: { epochs: 500, batchSize: 8 } });
    const preload = workspace.write("words.cjs", 'process.stderr.write("famous last words\\n");');
    const env = { NODE_OPTIONS: `--require ${preload}` };
    const location = { file: `${dist}/engine.cjs`, execPath: process.execPath, env };
    const log = () => undefined;
    const handle = await startForEditor({ location, cwd: workspace.directory, backend: "onnxruntime", device: "auto", log });
    const params = {
      file: workspace.file("small.bulwark.jsonc"),
      mode: "run",
      workspace: workspace.directory,
      backend: "auto",
      directory: workspace.file("dies"),
    } as const;
    handle.onProgress(runProgress, "run", (event) => {
      if (event.kind === "step") process.kill(handle.pid, "SIGKILL");
    });
    const failed = handle.request(requests.runExperiment, params);
    await expect(failed).rejects.toMatchObject({ code: "ENGINE_EXITED", detail: expect.stringContaining("famous last words") });
  });
});
