// `npm run package [-- --target linux-x64] [--no-build]`: one VSIX for one platform in artifacts/. What goes in is staged in a folder of its
// own: dist/, media/, the texts, and below dist/node_modules the native parts (ONNX Runtime, sharp) with that platform's binaries alone.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createVSIX } from "@vscode/vsce";
import { writeNotices } from "./notices.mjs";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const targets = ["linux-x64", "linux-arm64", "darwin-arm64", "win32-x64", "win32-arm64"];
/** Packages beside the bundles. `@img` is sharp's native part. */
const nativePackages = ["onnxruntime-node", "onnxruntime-common", "sharp", "detect-libc", "semver"];

const readJson = (file) => JSON.parse(readFileSync(file, "utf8"));

function run(command, words, cwd) {
  const done = spawnSync(command, words, { cwd, stdio: ["ignore", "ignore", "inherit"], shell: process.platform === "win32" });
  if (done.status !== 0) throw new Error(`${command} ${words.join(" ")} failed`);
}

/** node_modules that hold the target's binaries: ours for this machine, else an installation for that platform. */
function nodeModulesFor(target, work) {
  const [platform, arch] = target.split("-");
  if (target === `${process.platform}-${process.arch}`) return path.join(root, "node_modules");
  const { dependencies } = readJson(path.join(root, "package.json"));
  const wanted = Object.fromEntries(["onnxruntime-node", "sharp"].map((name) => [name, dependencies[name]]));
  mkdirSync(work, { recursive: true });
  writeFileSync(path.join(work, "package.json"), JSON.stringify({ private: true, dependencies: wanted }));
  const foreign = [`--os=${platform}`, `--cpu=${arch}`, ...(platform === "linux" ? ["--libc=glibc"] : [])];
  run("npm", ["install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error", ...foreign], work);
  return path.join(work, "node_modules");
}

/** Of a package's files those that run: no sources, types, maps, build scripts or ECMAScript twins. */
const runs = (file) =>
  !/\.([cm]?ts|mjs|map|md|cc|h|gyp)$/i.test(file) && !/[\\/](install|script|esm|src|test|lib[\\/]include)([\\/]|$)/.test(file);

function copyPackage(from, to, name, keep) {
  const source = path.join(from, name);
  if (!existsSync(source)) throw new Error(`${name} is not installed: run npm ci first`);
  const allowed = (file) => {
    const inside = path.relative(source, file).split(path.sep).join("/");
    return inside === "" || (runs(`/${inside}`) && (keep?.(inside) ?? true));
  };
  cpSync(source, path.join(to, name), { recursive: true, dereference: true, filter: allowed });
}

function copyNative(target, from, to) {
  const [platform, arch] = target.split("-");
  const binaries = `bin/napi-v6/${platform}/${arch}`;
  const oneTarget = (inside) => !inside.startsWith("bin") || binaries.startsWith(inside) || inside.startsWith(`${binaries}/`);
  if (!existsSync(path.join(from, "onnxruntime-node", binaries))) throw new Error(`ONNX Runtime has no binaries for ${target}`);
  for (const name of nativePackages) copyPackage(from, to, name, name === "onnxruntime-node" ? oneTarget : undefined);
  copyPackage(from, to, "@img/colour");
  copyPackage(from, to, `@img/sharp-${target}`);
  const libvips = `@img/sharp-libvips-${target}`; // Windows has it inside @img/sharp-win32-*
  if (existsSync(path.join(from, libvips))) copyPackage(from, to, libvips);
}

function stage(target, folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const isMap = (file) => file.endsWith(".map");
  cpSync(path.join(root, "dist"), path.join(folder, "dist"), { recursive: true, filter: (file) => !isMap(file) });
  cpSync(path.join(root, "media"), path.join(folder, "media"), { recursive: true });
  for (const name of ["CHANGELOG.md", "LICENSE", ".vscodeignore"]) cpSync(path.join(root, name), path.join(folder, name));
  // The page of the extension is for people who install it; the repository's README is for those who build it.
  cpSync(path.join(root, "media/marketplace.md"), path.join(folder, "README.md"));
  rmSync(path.join(folder, "media/marketplace.md"));
  const {
    scripts,
    dependencies,
    devDependencies,
    peerDependencies,
    peerDependenciesMeta,
    private: _,
    ...manifest
  } = readJson(path.join(root, "package.json"));
  writeFileSync(path.join(folder, "package.json"), JSON.stringify(manifest, null, 2));
  writeNotices(path.join(root, "package-lock.json"), path.join(folder, "THIRD_PARTY_NOTICES.txt"));
  copyNative(target, nodeModulesFor(target, `${folder}-native`), path.join(folder, "dist/node_modules"));
}

/** Packs a VSIX and returns its path. */
export async function packageExtension(target = `${process.platform}-${process.arch}`) {
  if (!targets.includes(target)) throw new Error(`There is no package for ${target}; there is one for ${targets.join(", ")}.`);
  const folder = path.join(root, ".cache/package", target);
  stage(target, folder);
  const { name, version } = readJson(path.join(root, "package.json"));
  const file = path.join(root, "artifacts", `${name}-${version}-${target}.vsix`);
  mkdirSync(path.dirname(file), { recursive: true });
  await createVSIX({ cwd: folder, packagePath: file, target, dependencies: false });
  console.log(`${path.relative(root, file)}: ${(statSync(file).size / 1e6).toFixed(1)} MB`);
  return file;
}

if (process.argv[1] && path.resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { target: { type: "string" }, "no-build": { type: "boolean" } } });
  if (!values["no-build"]) run(process.execPath, ["esbuild.mjs"], root);
  await packageExtension(values.target);
}
