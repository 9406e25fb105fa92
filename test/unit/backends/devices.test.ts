import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { probeDevices } from "../../../src/engine/backends/devices/index.ts";
import { graphicsCards, nameDevice } from "../../../src/engine/backends/devices/names.ts";
import { whyNot } from "../../../src/engine/backends/devices/reasons.ts";
import { type Trial, tryDevice } from "../../../src/engine/backends/devices/trial.ts";
import { useBackend } from "../../../src/engine/backends/index.ts";
import { runtimeFiles } from "../../../src/engine/backends/onnxruntime/native.ts";
import { startEngine } from "../../../src/engine/session/engine.ts";
import { deviceNote } from "../../../src/shared/devices.ts";

/** A provider that onnxruntime-node never has on this platform. */
const foreign = process.platform === "darwin" ? "directml" : "coreml";
const nothing = { binding: "", common: "" };

describe("a trial in a process of its own", () => {
  test("the CPU agrees with itself, at its own speed", async () => {
    const files = runtimeFiles();
    if (!files) throw new Error("onnxruntime-node is not installed");
    const { difference, speed } = await tryDevice("cpu", files);
    expect(difference).toBe(0);
    expect(speed).toBeGreaterThan(0);
  });

  test("a driver that crashes takes only the trial with it", async () => {
    const trial = await tryDevice("webgpu", { ...nothing, program: "process.abort()" });
    expect(trial.signal).toBe(process.platform === "win32" ? null : "SIGABRT");
    expect(trial.difference).toBeUndefined();
  });

  test("a driver that hangs is given up", async () => {
    const trial = await tryDevice("webgpu", { ...nothing, seconds: 1, program: "setInterval(() => {}, 1000)" });
    expect(trial).toMatchObject({ timedOut: true, signal: null });
  });

  test("numbers that are none are as far away as can be", async () => {
    const program = `console.log(JSON.stringify({ difference: NaN, speed: 1, drivers: [] }))`;
    expect((await tryDevice("webgpu", { ...nothing, program })).difference).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("why a device cannot be used", () => {
  const circumstances = { seconds: 30, platform: "linux", arch: "x64", parts: { cuda: false } };
  const failed = (said: string, more: Partial<Trial> = {}): Trial => ({ drivers: [], said, signal: null, timedOut: false, ...more });
  const noAdapter = "Error: /src/webgpu_context.cc:136 Failed to get a WebGPU adapter: No supported adapters";
  const noVulkan = "Warning: Couldn't load Vulkan: libvulkan.so.1: cannot open shared object file: No such file or directory";
  const noLibrary = "Error: OrtSessionOptionsAppendExecutionProvider_Cuda: Failed to load shared library";
  const noCublas = "libcublasLt.so.12: cannot open shared object file: No such file or directory";
  test.each([
    ["webgpu", failed(noAdapter), {}, "no GPU adapter was found: no graphics driver offers one"],
    ["webgpu", failed(`${noVulkan}\n${noAdapter}`), {}, "no GPU adapter was found: libvulkan.so.1 is missing"],
    ["cuda", failed(noLibrary), {}, "ONNX Runtime's CUDA part is not installed; the command Bulwark: Install GPU Runtime fetches it"],
    ["cuda", failed(`${noCublas}\n${noLibrary}`), { parts: { cuda: true } }, "libcublasLt.so.12 is missing"],
    [
      "coreml",
      failed("Error: Invalid argument: sessionOptions.executionProviders[0] is unsupported: 'coreml'."),
      {},
      "ONNX Runtime's build for linux-x64 has no CoreML, which there is on macOS",
    ],
    ["webgpu", failed("", { signal: "SIGSEGV" }), {}, "its trial crashed (SIGSEGV)"],
    ["webgpu", failed("", { timedOut: true }), {}, "its trial did not end within 30 s"],
    ["webgpu", failed("", { difference: 0.25 }), {}, "its numbers differ from the CPU's by 0.25 of the largest one"],
    ["webgpu", failed("first line\nTypeError: something else"), {}, "TypeError: something else"],
  ] as const)("%s: %o", (device, trial, more, reason) => {
    expect(whyNot(device, trial, { ...circumstances, ...more })).toBe(reason);
  });
});

describe("what a device is called", () => {
  test.each([
    [["libvk_swiftshader.so"], [], { name: "SwiftShader, software", software: true }],
    [["libvulkan_lvp.so"], ["AMD GPU"], { name: "llvmpipe, software", software: true }],
    [["libvulkan_lvp.so", "libvulkan_radeon.so"], ["AMD GPU"], { name: "AMD GPU", software: false }],
    [["libvulkan_intel.so"], [], { name: "Intel", software: false }],
    [["libcuda.so.1"], ["NVIDIA H200"], { name: "NVIDIA H200", software: false }],
    [[], ["Microsoft Basic Render Driver"], { name: "Microsoft Basic Render Driver, software", software: true }],
    [[], [], { name: undefined, software: false }],
  ])("drivers %o, cards %o", (drivers, cards, wanted) => {
    expect(nameDevice(drivers, cards)).toEqual(wanted);
  });

  const roots: string[] = [];
  afterEach(() => {
    for (const root of roots.splice(0)) rmSync(root, { recursive: true });
  });
  test("Linux names NVIDIA cards by model and others by maker", async () => {
    const root = mkdtempSync(path.join(os.tmpdir(), "bulwark-cards-"));
    roots.push(root);
    const write = (file: string, text: string): void => {
      mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
      writeFileSync(path.join(root, file), text);
    };
    write("proc/driver/nvidia/gpus/0000:01:00.0/information", "Model: \t\t NVIDIA GeForce RTX 4070\nIRQ:   55\n");
    write("sys/class/drm/card0/device/vendor", "0x10de\n");
    write("sys/class/drm/card1/device/vendor", "0x8086\n");
    write("sys/class/drm/card1-HDMI-A-1/status", "connected\n");
    expect(await graphicsCards("linux", root)).toEqual(["NVIDIA GeForce RTX 4070", "Intel GPU"]);
    expect(await graphicsCards("linux", path.join(root, "nowhere"))).toEqual([]);
  });

  test("one line for the doctor", () => {
    const found = { name: "webgpu", title: "WebGPU", available: true, device: "NVIDIA H200", speed: 12 } as const;
    expect(deviceNote(found)).toBe("NVIDIA H200, 12 × the CPU's speed on the trial");
    expect(deviceNote({ name: "cuda", title: "CUDA", available: false, reason: "libcuda.so.1 is missing" })).toBe(
      "libcuda.so.1 is missing",
    );
  });
});

describe("the device that is asked for", () => {
  test("every one is reported, the unavailable ones with a reason", async () => {
    const reports = await probeDevices();
    expect(reports.map(({ name }) => name)).toEqual(["cpu", "webgpu", "cuda", "directml", "coreml"]);
    for (const { available, reason } of reports) expect(available || Boolean(reason)).toBe(true);
  });

  test("one that cannot be used is an error that says why, for every backend name", async () => {
    for (const backend of ["auto", "onnxruntime"] as const)
      await expect(useBackend(backend, foreign)).rejects.toMatchObject({
        code: "BACKEND_UNAVAILABLE",
        message: expect.stringMatching(/cannot be used: ONNX Runtime's build for .* has no /),
        fix: expect.stringContaining("bulwark doctor"),
      });
  });

  test("a GPU of a backend that has none is an error", async () => {
    await expect(useBackend("wasm", "webgpu")).rejects.toMatchObject({ code: "PARAMETER_INVALID" });
  });

  test("a name that is none is an error that lists the names", async () => {
    await expect(startEngine("auto", "gpu")).rejects.toMatchObject({
      code: "PARAMETER_INVALID",
      fix: expect.stringContaining("webgpu, cuda"),
    });
  });

  test("auto and cpu are the CPU", async () => {
    for (const device of ["auto", "cpu"] as const)
      expect((await useBackend("onnxruntime", device)).device).toMatch(/^ONNX Runtime, CPU, \d+ thread/);
  });
});
