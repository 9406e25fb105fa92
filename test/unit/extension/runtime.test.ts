import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { installedVersion, installPart, removePart } from "../../../src/extension/runtime/install.ts";
import { explainNpm, findNpm } from "../../../src/extension/runtime/npm.ts";
import { verdict } from "../../../src/extension/runtime/verdict.ts";
import { type RuntimePart, runtimePart, runtimeParts } from "../../../src/shared/gpuRuntime.ts";
import type { BackendReport, DeviceReport, DoctorReport } from "../../../src/shared/protocol.ts";
import { openRegistry, type Registry } from "./registry.ts";

const part: RuntimePart = {
  ...runtimePart("tensorflow"),
  package: "@bulwark-test/native",
  version: "1.2.3",
  disk: 1e6,
  environment: { WORD: "given" },
};
const writesBinding =
  'require("fs").mkdirSync("lib/napi-v8",{recursive:true});require("fs").writeFileSync("lib/napi-v8/tfjs_binding.node",process.env.WORD);';

let folder = "";
let registry: Registry;
beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), "bulwark-registry-"));
  registry = await openRegistry(folder, part.package, part.version);
});
afterAll(async () => {
  await registry.close();
  rmSync(folder, { recursive: true });
});

let root = "";
beforeEach(() => {
  root = path.join(mkdtempSync(path.join(os.tmpdir(), "bulwark-storage-")), "gpu-runtime");
});
afterEach(() => rmSync(path.dirname(root), { recursive: true }));

interface Changes {
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly onLine?: (line: string) => void;
  readonly part?: RuntimePart;
  readonly lock?: string;
}
const withoutEmpty = (env: Readonly<Record<string, string>>) => Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ""));
const install = ({
  env = {},
  signal = new AbortController().signal,
  onLine = () => {},
  part: other = part,
  lock = registry.lock(other.version),
}: Changes = {}): Promise<void> =>
  installPart({
    part: other,
    lock,
    root,
    nodePath: "",
    signal,
    onLine,
    env: withoutEmpty({
      PATH: process.env["PATH"] ?? "",
      HOME: folder,
      npm_config_registry: registry.url,
      npm_config_cache: path.join(folder, "cache"),
      npm_config_prefer_online: "true",
      npm_config_fetch_retries: "0",
      npm_config_ignore_scripts: "true", // as careful people have it
      ...env,
    }),
  });
const binding = (): string => path.join(root, "tensorflow/node_modules", part.package, "lib/napi-v8/tfjs_binding.node");

describe("installing a part of the GPU runtime with npm", () => {
  it("puts it in place whole, and again over the old one; removed, it is gone", async () => {
    registry.publish(writesBinding);
    expect(installedVersion(part, root)).toBeUndefined();
    const lines: string[] = [];
    await install({ onLine: (line) => lines.push(line) });
    expect(installedVersion(part, root)).toBe("1.2.3");
    expect(readFileSync(binding(), "utf8")).toBe("given");
    expect(lines.join("\n")).toMatch(/install/);
    await install({ part: { ...part, environment: { WORD: "again" } } });
    expect(readFileSync(binding(), "utf8")).toBe("again");
    expect(readdirSync(root)).toEqual(["tensorflow"]);
    await removePart(part, root);
    expect(readdirSync(root)).toEqual([]);
  });

  it("without a network for the native part: says which server, and keeps what was there", async () => {
    registry.publish(writesBinding);
    await install();
    // The .invalid domain exists nowhere (RFC 2606), with or without a network.
    registry.publish('require("https").get("https://storage.invalid/libtensorflow.tar.gz");');
    await expect(install()).rejects.toMatchObject({
      code: "NETWORK",
      message: "storage.invalid cannot be reached; nothing was installed.",
    });
    expect(readFileSync(binding(), "utf8")).toBe("given");
    expect(readdirSync(root)).toEqual(["tensorflow"]);
  });

  it("without a registry", async () => {
    await expect(install({ env: { npm_config_registry: "http://127.0.0.1:9" } })).rejects.toMatchObject({
      code: "NETWORK",
      message: "127.0.0.1:9 cannot be reached; nothing was installed.",
    });
    expect(readdirSync(root)).toEqual([]);
  });

  it("a version that the registry does not have", async () => {
    await expect(install({ part: { ...part, version: "9.9.9" } })).rejects.toMatchObject({
      code: "NETWORK",
      message: /does not have the package/,
    });
  });

  it("a package that is not the one of the lock file", async () => {
    registry.publish(writesBinding);
    const other = `sha512-${createHash("sha512").update("other").digest("base64")}`;
    await expect(install({ lock: registry.lock(part.version, other) })).rejects.toMatchObject({
      code: "CHECKSUM",
      message: expect.stringMatching(/a package that differs from the one Bulwark was built with/),
    });
    expect(readdirSync(root)).toEqual([]);
  });

  it("asks the registry of the user's own settings, whatever .npmrc and package.json lie in the folders above", async () => {
    registry.publish(writesBinding);
    const home = path.dirname(root);
    writeFileSync(path.join(home, ".npmrc"), "registry=http://127.0.0.1:9/\nnode-options=--require ./evil.cjs\n");
    writeFileSync(path.join(home, "package.json"), '{"workspaces":["**"]}');
    const user = mkdtempSync(path.join(os.tmpdir(), "bulwark-user-"));
    writeFileSync(path.join(user, ".npmrc"), `registry=${registry.url}\n`);
    await install({ env: { HOME: user, npm_config_registry: "" } });
    expect(installedVersion(part, root)).toBe("1.2.3");
    rmSync(user, { recursive: true });
  });

  it("runs no npm of a relative folder", () => {
    expect(() => findNpm({ PATH: `node_modules/.bin${path.delimiter}.` }, "")).toThrow(/^npm was not found/);
    const { node, script } = findNpm({ PATH: process.env["PATH"] ?? "" }, "");
    expect([path.isAbsolute(node), path.basename(script), existsSync(script)]).toEqual([true, "npm-cli.js", true]);
  });

  it("an install script that brings nothing", async () => {
    registry.publish("");
    await expect(install()).rejects.toMatchObject({ code: "INSTALL_FAILED", message: /without its native part/ });
    expect(readdirSync(root)).toEqual([]);
  });

  it("an install script that fails in its own way", async () => {
    registry.publish("process.exit(7);");
    await expect(install()).rejects.toMatchObject({ code: "INSTALL_FAILED", message: /^npm ended with code/ });
  });

  it("given up half-way: every process ends, and nothing is left", async () => {
    const pulse = path.join(folder, "pulse");
    const write = `require("fs").appendFileSync(${JSON.stringify(pulse)}, ".")`;
    registry.publish(`process.on("SIGTERM", () => {}); setInterval(() => ${write}, 20); console.log("it has begun");`);
    const abort = new AbortController();
    const onLine = (line: string): void => {
      if (line.includes("it has begun")) setTimeout(() => abort.abort(), 200);
    };
    await expect(install({ signal: abort.signal, onLine })).rejects.toMatchObject({ code: "CANCELLED" });
    expect(readdirSync(root)).toEqual([]);
    const beats = readFileSync(pulse, "utf8").length;
    expect(beats).toBeGreaterThan(0);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(readFileSync(pulse, "utf8").length).toBe(beats);
  });

  it("clears what an installation left whose window is gone, and not another window's", async () => {
    registry.publish(writesBinding);
    mkdirSync(path.join(root, "tensorflow.new-4194305-abc"), { recursive: true }); // above any process id
    mkdirSync(path.join(root, `tensorflow.new-${process.ppid}-abc`));
    await install();
    expect(readdirSync(root).sort()).toEqual(["tensorflow", `tensorflow.new-${process.ppid}-abc`]);
  });

  it("says before it begins that npm or space is missing", async () => {
    await expect(install({ env: { PATH: folder } })).rejects.toMatchObject({ code: "INSTALL_FAILED", message: /^npm was not found/ });
    await expect(install({ part: { ...part, disk: 1e18 } })).rejects.toMatchObject({ code: "DISK_FULL" });
    expect(existsSync(path.join(root, "tensorflow"))).toBe(false);
  });
});

describe("npm's words", () => {
  it.each([
    ["npm error code ENOSPC\nnpm error nospc ENOSPC: no space left on device, write", "DISK_FULL", /disk is full/],
    [
      "npm error code SELF_SIGNED_CERT_IN_CHAIN\nnpm error request to https://registry.example/x failed",
      "NETWORK",
      /certificate of registry\.example/,
    ],
    // tensorflow/tfjs#8611
    [
      "node-pre-gyp ERR! install response status 404 Not Found on https://storage.googleapis.com/tf-builds/pre-built-binary/napi-v8/4.22.0/GPU-windows-4.22.0.zip",
      "NETWORK",
      /storage\.googleapis\.com does not have the package/,
    ],
    ["npm error code EACCES\nnpm error syscall mkdir", "NOT_WRITABLE", /may not write/],
  ])("%s", (said, code, message) => {
    expect(explainNpm(said, 1)).toMatchObject({ code, message: expect.stringMatching(message), detail: said });
  });
});

it("fetches the versions that the engine is built against", () => {
  const { dependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(readFileSync("package.json", "utf8")) as Record<
    "dependencies" | "peerDependencies",
    Record<string, string>
  > & { peerDependenciesMeta: Record<string, unknown> };
  expect(runtimePart("onnxruntime").version).toBe(dependencies["onnxruntime-node"]);
  expect(runtimePart("tensorflow").version).toBe(dependencies["@tensorflow/tfjs-core"]);
  for (const name of ["@tensorflow/tfjs-node", "@tensorflow/tfjs-node-gpu"]) {
    expect(peerDependencies[name]).toBe(runtimePart("tensorflow").version);
    expect(peerDependenciesMeta[name]).toEqual({ optional: true });
    expect(dependencies[name]).toBeUndefined();
  }
  for (const { id, package: name, version } of runtimeParts) {
    const { packages } = JSON.parse(readFileSync(`media/locks/${id}.json`, "utf8")) as {
      packages: Record<string, { version?: string; integrity?: string; dependencies?: object; resolved?: string }>;
    };
    expect(packages[""]?.dependencies).toEqual({ [name]: version });
    for (const [folder, locked] of Object.entries(packages))
      if (folder !== "") expect([folder, locked.integrity]).toEqual([folder, expect.stringMatching(/^sha512-/)]);
  }
  expect(new Set(runtimeParts.map(({ id }) => id)).size).toBe(runtimeParts.length);
});

describe("what is said after the trial", () => {
  const found = (backend: Omit<BackendReport, "name">, device: Omit<DeviceReport, "name" | "title">, selected: string): DoctorReport => ({
    version: "1",
    node: "20",
    memory: { total: 16e9, free: 9.8e9 },
    selected,
    noDecoder: null,
    selectedDevice: "cpu",
    backends: [{ name: "tensorflow", ...backend }],
    devices: [{ name: "cuda", title: "CUDA", ...device }],
  });
  it.each([
    [
      "tensorflow",
      found({ available: true, gpu: true, device: "TensorFlow, Tesla T4" }, { available: false }, "tensorflow"),
      true,
      undefined,
    ],
    [
      "tensorflow",
      found({ available: true, gpu: true, device: "TensorFlow, Tesla T4" }, { available: false }, "onnxruntime"),
      true,
      "selectBackend",
    ],
    [
      "tensorflow",
      found({ available: true, device: "TensorFlow, CPU; it sees no GPU: why. Do this." }, { available: true }, "cpu"),
      false,
      undefined,
    ],
    ["tensorflow", found({ available: false, reason: "why" }, { available: true }, "cpu"), false, undefined],
    ["onnxruntime", found({ available: true }, { available: true, device: "Tesla T4" }, "onnxruntime"), true, "selectDevice"],
    ["onnxruntime", found({ available: true }, { available: false, reason: "why" }, "onnxruntime"), false, undefined],
  ] as const)("%s %#", (id, report, works, next) => {
    const said = verdict(runtimePart(id), report);
    expect(said).toMatchObject({ works, next });
    expect(said.text).toMatch(works ? /is installed and computes on Tesla T4[,;]/ : /is installed, but .*why/);
  });
});
