import { existsSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { probeBackends, useBackend } from "../../../src/engine/backends/index.ts";
import { findTensorflow } from "../../../src/engine/backends/tensorflow/find.ts";
import { mayHaveGpu, prepare } from "../../../src/engine/backends/tensorflow/index.ts";
import { probeTensorflow, type Verdict } from "../../../src/engine/backends/tensorflow/probe.ts";
import { tf } from "../../../src/engine/tf.ts";
import { install, working } from "./tensorflowFixture.ts";

const gpuBuild = "@tensorflow/tfjs-node-gpu";
const throwing = (message: string): string => `throw new Error(${JSON.stringify(message)});`;

async function probe(folder: string, seconds?: number): Promise<Verdict> {
  const [found] = findTensorflow(folder, "");
  if (!found) throw new Error("the fixture is not found");
  return probeTensorflow(found, seconds);
}
const troubleOf = async (folder: string, seconds?: number): Promise<string> => {
  const verdict = await probe(folder, seconds);
  if (verdict.works) throw new Error("it works");
  return `${verdict.trouble.reason}. ${verdict.trouble.fix}`;
};

describe("a package that cannot be used says why and what to do", () => {
  // tensorflow/tfjs#4191
  it("native part missing", async () => {
    const folder = install(
      throwing(
        "The Node.js native addon module (tfjs_binding.node) can not be found at path: /srv/app/node_modules/@tensorflow/tfjs-node/lib/napi-v6/tfjs_binding.node.",
      ),
    );
    expect(await troubleOf(folder)).toBe(
      `its native part is missing: install scripts were skipped, or their download failed. Run \`npm rebuild @tensorflow/tfjs-node\` in ${folder}; it downloads from storage.googleapis.com.`,
    );
  });

  it("native part of another system, by a real attempt to load one", async () => {
    const folder = install('process.dlopen({ exports: {} }, require("path").join(__dirname, "tfjs_binding.node"));');
    const binding = path.join(folder, "node_modules/@tensorflow/tfjs-node/dist/tfjs_binding.node");
    writeFileSync(binding, "This is no library. ".repeat(100));
    expect(await troubleOf(folder)).toMatch(
      /^its native part was built for another system or processor than this one\. Remove node_modules/,
    );
  });

  it.each([
    // tensorflow/tfjs#8545, on Windows
    ["The specified module could not be found. \\\\?\\D:\\app\\tfjs_binding.node", /^the library tensorflow\.dll is missing/],
    [
      "libtensorflow_framework.so.2: cannot open shared object file: No such file or directory",
      /^the library libtensorflow_framework\.so\.2 is missing/,
    ],
    [
      "/lib/x86_64-linux-gnu/libm.so.6: version `GLIBC_2.29' not found (required by libtensorflow.so.2)",
      /^it needs GLIBC_2\.29, .*newer Linux/,
    ],
    ["Cannot find module '@mapbox/node-pre-gyp'", /^@mapbox\/node-pre-gyp is missing, so that it is not installed whole/],
    ["(0 , util_1.isRegExp) is not a function", /^it calls util\.isRegExp, which Node .* no longer has\. Set bulwark\.engine\.nodePath/],
    ["Failed to get convolution algorithm. This is probably because cuDNN failed to initialize", /^cuDNN does not work/],
    ["CUDA error: no kernel image is available for execution on the device", /^the GPU is newer than the CUDA 11/],
    ["something new", /^Error: something new\. Run/],
  ])("%s", async (message, said) => {
    expect(await troubleOf(install(throwing(message)))).toMatch(said);
  });

  it("a crash, by its signal", async () => {
    expect(await troubleOf(install('process.kill(process.pid, "SIGILL"); setTimeout(() => {}, 9e5);'))).toMatch(/\(AVX\)/);
    expect(await troubleOf(install('process.kill(process.pid, "SIGSEGV"); setTimeout(() => {}, 9e5);'))).toMatch(
      /^it crashed with SIGSEGV/,
    );
  });

  it("no answer", async () => {
    expect(await troubleOf(install("for (;;);"), 1)).toMatch(/^it did not answer within 1 s\. /);
  });

  it("another tfjs-core than ours", async () => {
    const folder = install(working({ version: "3.21.1" }));
    expect(await troubleOf(folder)).toBe(
      `it brings tfjs-core 3.21.1, and Bulwark works with 4.22.0. Run \`npm install @tensorflow/tfjs-node@4.22.0\` in ${folder}.`,
    );
  });

  it("wrong numbers", async () => {
    const folder = install(working({ kernel: 'if (name === "Sum") call.inputs.x = { ...call.inputs.x, shape: [1, 8, 8, 2] };' }));
    expect(await troubleOf(folder)).toBe(
      "it computes wrongly: a convolution came to 2904 in place of 5808. Leave the backend to auto, and check the GPU's driver.",
    );
  });
});

describe("a package that works", () => {
  it("computes on the CPU", async () => {
    expect(await probe(install(working()))).toEqual({ works: true, gpu: undefined });
  });

  it("sees a GPU, by the name that TensorFlow gives it", async () => {
    // tensorflow/tensorflow#64809 and many others: the line of common_runtime/gpu/gpu_device.cc
    const says =
      "2024-05-06 00:05:33.7: I tensorflow/core/common_runtime/gpu/gpu_device.cc:1532] Created device /job:localhost/replica:0/task:0/device:GPU:0 with 14391 MB memory:  -> device: 0, name: Tesla V100-SXM2-16GB, pci bus id: 0000:00:04.0, compute capability: 7.0\n";
    expect(await probe(install(working({ gpu: true, says }), gpuBuild))).toEqual({ works: true, gpu: "Tesla V100-SXM2-16GB" });
  });

  it.each([
    // tensorflow/tensorflow#74459
    [
      "W tensorflow/stream_executor/platform/default/dso_loader.cc:64] Could not load dynamic library 'libcudart.so.11.0'; dlerror: libcudart.so.11.0: cannot open shared object file: No such file or directory\nI tensorflow/stream_executor/cuda/cudart_stub.cc:29] Ignore above cudart dlerror if you do not have a GPU set up on your machine.\nW tensorflow/stream_executor/platform/default/dso_loader.cc:64] Could not load dynamic library 'libcudnn.so.8'; dlerror: libcudnn.so.8: cannot open shared object file: No such file or directory\n",
      "libcudart.so.11.0 and libcudnn.so.8 are not found",
    ],
    // tensorflow/tfjs#8269
    [
      "W tensorflow/stream_executor/platform/default/dso_loader.cc:64] Could not load dynamic library 'libcudnn.so.8'; dlerror: libcudnn.so.8: cannot open shared object file: No such file or directory\n",
      "libcudnn.so.8 is not found",
    ],
    [
      "W tensorflow/stream_executor/platform/default/dso_loader.cc:64] Could not load dynamic library 'libcuda.so.1'; dlerror: libcuda.so.1: cannot open shared object file\nW tensorflow/stream_executor/cuda/cuda_driver.cc:269] failed call to cuInit: UNKNOWN ERROR (303)\n",
      "there is no NVIDIA driver",
    ],
    [
      "E tensorflow/stream_executor/cuda/cuda_driver.cc:271] failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected\n",
      "the NVIDIA driver answers CUDA_ERROR_NO_DEVICE",
    ],
  ])("is a GPU build and sees none: %#", async (says, reason) => {
    const verdict = await probe(install(working({ says }), gpuBuild));
    expect(verdict).toMatchObject({ works: true, gpu: undefined, noGpu: { reason } });
  });

  describe("on a Node without util.isNullOrUndefined, as 23 and newer", () => {
    const strip =
      'const u = require("util"); for (const name of Object.keys(u)) if (/^is[A-Z]/.test(name) && name !== "isDeepStrictEqual") delete u[name];';
    const convolution = (name: string): string => `if (name === "Conv2D") require("util").${name === "" ? "isNullOrUndefined" : name}(1);`;
    const before = process.env["NODE_OPTIONS"];
    beforeEach(() => {
      const folder = install("");
      writeFileSync(path.join(folder, "strip.js"), strip);
      process.env["NODE_OPTIONS"] = `--require ${path.join(folder, "strip.js")}`;
    });
    afterEach(() => {
      if (before === undefined) delete process.env["NODE_OPTIONS"];
      else process.env["NODE_OPTIONS"] = before;
    });

    it("has it put back", async () => {
      expect(await probe(install(working({ kernel: convolution("") })))).toMatchObject({ works: true });
    });
    it("is refused when it calls another one", async () => {
      expect(await troubleOf(install(working({ kernel: convolution("isRegExp") })))).toMatch(/^it calls util\.isRegExp, which Node/);
    });
  });
});

describe("as a backend", () => {
  /** What the engine gets from the extension. */
  const use = (folder: string): void => {
    process.env["BULWARK_GPU_RUNTIME"] = path.dirname(folder);
  };
  const missing =
    "Could not load dynamic library 'libcudart.so.11.0'; dlerror: libcudart.so.11.0: cannot open shared object file: No such file or directory\n";
  afterEach(() => {
    delete process.env["BULWARK_GPU_RUNTIME"];
  });

  it("is looked for in the folder of the workspace and in that of the command, GPU builds first", () => {
    const workspace = install("");
    const runtime = install("", gpuBuild);
    expect(findTensorflow(workspace, runtime).map(({ id, place }) => [id, place])).toEqual([
      [gpuBuild, runtime],
      ["@tensorflow/tfjs-node", workspace],
    ]);
    expect(findTensorflow(workspace, workspace)).toHaveLength(1);
    use(runtime);
    expect(findTensorflow(workspace).map(({ installedByCommand }) => installedByCommand)).toEqual([true, false]);
  });

  it("chosen and broken is one error with the remedy", async () => {
    use(install(throwing("x/tfjs_binding.node) can not be found at path")));
    await expect(useBackend("tensorflow")).rejects.toMatchObject({
      code: "BACKEND_UNAVAILABLE",
      message:
        "The backend tensorflow cannot start: @tensorflow/tfjs-node is installed, but its native part is missing: install scripts were skipped, or their download failed.",
      fix: "Run “Bulwark: Install GPU Runtime” and choose Reinstall.",
    });
  });

  it("is told of by the doctor", async () => {
    use(install(working({ says: missing }), gpuBuild));
    const report = (await probeBackends()).find(({ name }) => name === "tensorflow");
    expect(report).toMatchObject({ available: true, gpu: false });
    expect(report?.device).toMatch(
      /^TensorFlow, CPU; .*tfjs-node-gpu is installed, but sees no GPU: libcudart\.so\.11\.0 is not found\. Install CUDA/,
    );
  });

  it("in the folder that the doctor looks at is told of and not run", async () => {
    const mark = path.join(install(""), "ran");
    const folder = install(`require("fs").writeFileSync(${JSON.stringify(mark)}, "x");`, gpuBuild);
    const cwd = vi.spyOn(process, "cwd").mockReturnValue(folder);
    try {
      const report = (await probeBackends()).find(({ name }) => name === "tensorflow");
      expect(report).toMatchObject({
        available: false,
        reason: expect.stringMatching(/tfjs-node-gpu is in this folder and was not tried/),
      });
      expect(mayHaveGpu()).toBe(false);
      await expect(prepare("gpu")).rejects.toMatchObject({ code: "BACKEND_UNAVAILABLE" });
    } finally {
      cwd.mockRestore();
    }
    expect(existsSync(mark)).toBe(false);
  });

  it("is not taken for its GPU when it sees none", async () => {
    use(install(working({ says: missing }), gpuBuild));
    await expect(prepare("gpu")).rejects.toMatchObject({ code: "BACKEND_UNAVAILABLE" });
    use(install(working()));
    await expect(prepare("gpu")).rejects.toMatchObject({ code: "BACKEND_UNAVAILABLE" });
  });

  it("on the device cpu is shown no GPU", async () => {
    const file = path.join(install(""), "visible");
    const look = `require("fs").writeFileSync(${JSON.stringify(file)}, process.env.CUDA_VISIBLE_DEVICES + process.env.TF_FORCE_GPU_ALLOW_GROWTH);`;
    use(install(`${look} throw new Error("enough");`, gpuBuild)); // not loaded, so that the next test starts afresh
    await expect(useBackend("tensorflow", "cpu")).rejects.toMatchObject({ code: "BACKEND_UNAVAILABLE" });
    expect(readFileSync(file, "utf8")).toBe("-1true");
    delete process.env["CUDA_VISIBLE_DEVICES"];
  });

  it("computes in our engine with its own copy of tfjs-core, and leaves our gradients", async () => {
    const names = ["Conv2D", "Conv2DBackpropInput", "MaxPoolGrad", "Relu", "GatherV2"];
    const before = names.map((name) => tf.getGradient(name));
    use(install(working({ kernel: "globalThis.kernelsOfFixture = (globalThis.kernelsOfFixture ?? 0) + 1;" })));
    const choice = await useBackend("tensorflow");
    expect(choice).toEqual({ name: "tensorflow", device: "TensorFlow, CPU", warnings: [] });
    expect(tf.getBackend()).toBe("tensorflow");
    expect(names.map((name) => tf.getGradient(name))).toEqual(before);
    for (const [index, name] of names.entries()) expect(tf.getGradient(name)).toBe(before[index]);
    // f(x) = Σ conv(x, w)³ on one place with w = 2: f' = 3·(2x)²·2 = 24x², and d/dx Σ f' = 48x.
    const second = tf.grad((x) =>
      tf.sum(
        tf.grad((y) =>
          tf.sum(tf.pow(tf.conv2d(tf.reshape(y, [1, 1, 2, 1]) as tf.Tensor4D, tf.fill([1, 1, 1, 1], 2) as tf.Tensor4D, 1, "valid"), 3)),
        )(x),
      ),
    );
    expect(Array.from(second(tf.tensor1d([1, 3])).dataSync())).toEqual([48, 144]);
    expect(Reflect.get(globalThis, "kernelsOfFixture")).toBeGreaterThan(3);
    expect(tf.env().getBool("PROD")).toBe(false);
  });
});
