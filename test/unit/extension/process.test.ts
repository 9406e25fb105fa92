import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { createWarmEngine } from "../../../src/extension/engine/engine.ts";
import { type EngineProcess, startEngine } from "../../../src/extension/engine/process.ts";
import { runInProcess } from "../../../src/extension/engine/runProcess.ts";
import type { Patience } from "../../../src/extension/engine/watchdog.ts";
import { requests } from "../../../src/shared/protocol.ts";

// A real child process over real IPC that answers JSON-RPC as an engine would; what it does is written out here.
const engine = (onRequest: string): string => `
  const answer = (id, result) => process.send({ jsonrpc: "2.0", id, result });
  const fail = (id, data) => process.send({ jsonrpc: "2.0", id, error: { code: -32000, message: data.message, data } });
  process.on("disconnect", () => process.exit(0));
  process.on("message", (message) => {
    const { id, method, params } = message;
    if (method === "handshake") return answer(id, { protocol: params.protocol, version: "1", node: "20", pid: process.pid, backend: "cpu", device: "test" });
    ${onRequest}
  });`;

let folder = "";
let running: EngineProcess[] = [];
beforeEach(() => {
  folder = mkdtempSync(path.join(os.tmpdir(), "bulwark-process-"));
  running = [];
});
afterEach(() => {
  for (const one of running) one.kill("SIGKILL");
  rmSync(folder, { recursive: true });
});
async function start(source: string, lines: string[] = []): Promise<EngineProcess> {
  const file = path.join(folder, "engine.cjs");
  writeFileSync(file, source);
  const location = { file, execPath: process.execPath, env: {} };
  const started = await startEngine({ location, cwd: folder, backend: "auto", device: "auto", log: (_level, line) => lines.push(line) });
  running.push(started);
  return started;
}

describe("engine process", () => {
  it("answers requests, whatever it prints", async () => {
    const lines: string[] = [];
    const child = await start(engine('console.log("noise {}"); console.error("more noise"); answer(id, []);'), lines);
    expect(await child.request(requests.list, {})).toEqual([]);
    child.kill();
    await child.exited;
    expect(lines).toEqual(expect.arrayContaining(["noise {}", "more noise"]));
  });

  it("hands on the engine's own errors", async () => {
    const child = await start(engine('fail(id, { code: "MODEL_INVALID", message: "cut in half", fix: "copy it again" });'));
    await expect(child.request(requests.list, {})).rejects.toMatchObject({
      code: "MODEL_INVALID",
      message: "cut in half",
      fix: "copy it again",
    });
  });

  it("rejects what is pending when it dies, with its last words", async () => {
    const child = await start(engine('console.error("out of memory"); setTimeout(() => process.exit(7), 50);'));
    await expect(child.request(requests.list, {})).rejects.toMatchObject({
      code: "ENGINE_EXITED",
      message: expect.stringContaining("code 7"),
      detail: "out of memory",
    });
    await expect(child.request(requests.list, {})).rejects.toMatchObject({ code: "ENGINE_EXITED" });
  });

  it("that ends before the handshake could not be started, and says why", async () => {
    await expect(start('console.error("cannot load native part"); process.exit(1);')).rejects.toMatchObject({
      code: "ENGINE_START",
      message: expect.stringContaining("cannot load native part"),
    });
  });
  it("of another version could not be started", async () => {
    const old = engine("").replace("protocol: params.protocol", "protocol: 0");
    await expect(start(old)).rejects.toMatchObject({ code: "ENGINE_START", message: expect.stringContaining("protocol 0") });
  });

  it("gets a cancellation", async () => {
    const child = await start(
      engine(
        'if (method === "$/cancelRequest") fail(params.id, { code: "CANCELLED", message: "Cancelled." }); else console.log("working");',
      ),
    );
    const abort = new AbortController();
    const pending = child.request(requests.list, {}, abort.signal);
    setTimeout(() => abort.abort(), 20);
    await expect(pending).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("warm engine", () => {
  it("starts once for many requests and again after a death", async () => {
    let starts = 0;
    const source = engine('method === "doctor" ? process.exit(1) : answer(id, []);');
    const warm = createWarmEngine(
      () => {
        starts++;
        return start(source);
      },
      () => undefined,
    );
    await Promise.all([warm.request(requests.list, {}), warm.request(requests.list, {})]);
    expect(starts).toBe(1);
    await expect(warm.request(requests.doctor, {})).rejects.toMatchObject({ code: "ENGINE_EXITED" });
    expect(warm.status.kind).toBe("stopped");
    expect(await warm.request(requests.list, {})).toEqual([]);
    expect(starts).toBe(2);
  });

  it("with new settings starts again where it runs or starts, and shows the new one alone", async () => {
    let starts = 0;
    const warm = createWarmEngine(
      async () => {
        starts++;
        return start(engine("answer(id, []);"));
      },
      () => undefined,
    );
    warm.renew();
    expect([starts, warm.status.kind]).toEqual([0, "stopped"]);
    const early = warm.get();
    warm.renew();
    const late = await warm.get();
    expect(starts).toBe(2);
    expect((await early).pid).not.toBe(late.pid);
    expect(warm.status).toMatchObject({ kind: "ready", handshake: { pid: late.handshake.pid } });
    const stopped = warm.get();
    warm.stop();
    await (await stopped).exited;
    const unseen = warm.get();
    warm.stop();
    await (await unseen).exited;
    expect(warm.status.kind).toBe("stopped");
  });

  it("names the device that computes after another one failed", async () => {
    const lost = `process.send({ jsonrpc: "2.0", method: "device", params: { message: "WebGPU failed", device: "ONNX Runtime, CPU, 2 threads" } });`;
    const said: string[] = [];
    const warm = createWarmEngine(
      async () => {
        const started = await start(engine(`${lost} answer(id, []);`));
        started.onDevice((_device, message) => said.push(message));
        return started;
      },
      () => undefined,
    );
    const { handshake } = await warm.get();
    expect(handshake.device).toBe("test");
    await warm.request(requests.list, {});
    expect(said).toEqual(["WebGPU failed"]);
    expect(warm.status).toMatchObject({ kind: "ready", handshake: { device: "ONNX Runtime, CPU, 2 threads", backend: "cpu" } });
  });
});

describe("a request that is not answered", () => {
  const silent = engine('if (method === "ping" || params?.experiment === "quick") answer(id, []);'); // it lives, and says nothing else
  const warm = (patience: Patience) =>
    createWarmEngine(
      () => start(silent),
      () => undefined,
      patience,
    );

  it("is given up a moment after it was cancelled, and others are answered", async () => {
    const one = warm({ seconds: 60, secondsPerMegabyte: 0, everySeconds: 5, graceSeconds: 0.05 });
    const abort = new AbortController();
    const lost = one.request(requests.doctor, {}, abort.signal);
    setTimeout(() => abort.abort(), 20);
    await expect(lost).rejects.toMatchObject({ code: "CANCELLED" });
    expect(await one.request(requests.list, { experiment: "quick" })).toEqual([]);
  });

  it("and goes on although it was cancelled costs the engine its life, so that those behind it are answered", async () => {
    const one = warm({ seconds: 0.3, secondsPerMegabyte: 0, everySeconds: 0.1, graceSeconds: 0.05 });
    const { pid } = await one.get();
    const abort = new AbortController();
    const lost = one.request(requests.doctor, {}, abort.signal);
    const behind = one.request(requests.list, {});
    setTimeout(() => abort.abort(), 20);
    await expect(lost).rejects.toMatchObject({ code: "CANCELLED" });
    await expect(behind).rejects.toMatchObject({
      code: "ENGINE_EXITED",
      message: expect.stringMatching(/A cancelled request did not end within/),
      fix: expect.stringContaining("restarted"),
    });
    expect((await one.get()).pid).not.toBe(pid);
    expect(await one.request(requests.list, { experiment: "quick" })).toEqual([]);
  });

  it("because the engine does not start is given up as well", async () => {
    const one = createWarmEngine(
      () => new Promise(() => undefined),
      () => undefined,
    );
    await expect(one.request(requests.list, {}, AbortSignal.timeout(20))).rejects.toMatchObject({ code: "CANCELLED" });
  });
});

describe("how an engine ended", () => {
  const end = async (words: string): Promise<unknown> => {
    const child = await start(engine(words));
    return child.request(requests.list, {}).catch((thrown: unknown) => thrown);
  };
  const helps = expect.stringMatching(
    /^Try again; it restarts automatically\. If this happens again, .*smaller model.*bulwark\.engine\.memory\.$/,
  );

  it.each([
    [
      "a kill",
      'process.kill(process.pid, "SIGKILL");',
      "was killed (signal SIGKILL), usually because the computer ran out of memory",
      helps,
    ],
    [
      "a full heap",
      'console.error("FATAL ERROR: Reached heap limit Allocation failed - JavaScript heap out of memory"); process.abort();',
      "ran out of memory and ended (signal SIGABRT)",
      helps,
    ],
    [
      "a native crash",
      'process.kill(process.pid, "SIGSEGV");',
      "crashed in native code (signal SIGSEGV)",
      expect.stringMatching(/another backend or device/),
    ],
  ])("is told, with what helps: %s", async (_, words, message, fix) => {
    expect(await end(words)).toMatchObject({ code: "ENGINE_EXITED", message: expect.stringContaining(message), fix });
  });
});

describe("run process", () => {
  it("that dies says to resume the run", async () => {
    const run = runInProcess({
      start: () => start(engine('process.kill(process.pid, "SIGKILL");')),
      send: (child, signal) => child.request(requests.list, {}, signal),
      onEvent: () => undefined,
      signal: new AbortController().signal,
    });
    await expect(run).rejects.toMatchObject({
      code: "ENGINE_EXITED",
      message: "The process of the run was killed (signal SIGKILL), usually because the computer ran out of memory.",
      fix: expect.stringMatching(/^Resume the run: what was finished is kept\. If this happens again/),
    });
  });

  it("is killed when it does not stop within its grace", async () => {
    const abort = new AbortController();
    const run = runInProcess({
      start: () => start(engine("")), // deaf: it answers nothing, not even a cancellation
      send: (child, signal) => child.request(requests.list, {}, signal),
      onEvent: () => undefined,
      signal: abort.signal,
      graceSeconds: 0.05,
    });
    setTimeout(() => abort.abort(), 50);
    await expect(run).rejects.toMatchObject({ code: "CANCELLED" });
    expect((await running[0]?.exited)?.message).toContain("SIGKILL");
  });
  it("hands on events and ends with its result", async () => {
    const events: unknown[] = [];
    const progress = `process.send({ jsonrpc: "2.0", method: "$/progress", params: { token: "run", value: { t: 1, kind: "phase", phase: "Training" } } });`;
    const run = runInProcess({
      start: () => start(engine(`${progress} answer(id, ["end"]);`)),
      send: (child, signal) => child.request(requests.list, {}, signal),
      onEvent: (event) => events.push(event),
      signal: new AbortController().signal,
    });
    expect(await run).toEqual(["end"]);
    expect(events).toEqual([{ t: 1, kind: "phase", phase: "Training" }]);
    const [child] = running;
    expect((await child?.exited)?.code).toBe("ENGINE_EXITED");
  });
});
