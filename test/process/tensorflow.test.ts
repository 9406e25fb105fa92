import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { install, working } from "../unit/backends/tensorflowFixture.ts";
import { newWorkspace, start, type Workspace } from "./support.ts";

const samples = path.resolve(import.meta.dirname, "../../samples");
const model = path.join(samples, "models", readdirSync(path.join(samples, "models"))[0] ?? "", "model.json");
const words = ["attack", "--model", model, "--image", path.join(samples, "seven.png"), "--attack", "fgsm", "--set", "eps=0.2", "--json"];

let workspace: Workspace;
beforeAll(() => {
  workspace = newWorkspace();
});
afterAll(() => workspace.remove());
const attack = (more: readonly string[], env: NodeJS.ProcessEnv = {}) => start(workspace, [...words, ...more], env).finished;
const runtime = (folder: string): NodeJS.ProcessEnv => ({ BULWARK_GPU_RUNTIME: path.dirname(folder) });

it("the bundled engine computes with the user's TensorFlow, on a Node that lacks util.isNullOrUndefined too, as it does by itself", async () => {
  const mark = workspace.file("used");
  const strip = workspace.write("strip.cjs", 'delete require("util").isNullOrUndefined;');
  const kernel = `if (require("util").isNullOrUndefined(name)) throw 0; require("fs").writeFileSync(${JSON.stringify(mark)}, name);`;
  const folder = install(working({ kernel }));
  const env = { ...runtime(folder), NODE_OPTIONS: `--require ${strip}` };
  const theirs = await attack(["--backend", "tensorflow", "--out", workspace.file("theirs")], env);
  expect([theirs.code, theirs.stderr]).toEqual([0, expect.not.stringMatching(/already registered|error /)]);
  expect(existsSync(mark)).toBe(true);
  const ours = await attack(["--backend", "cpu", "--out", workspace.file("ours")]);
  expect(ours.code).toBe(0);
  const figures = (text: string): unknown => {
    const { norms, images } = JSON.parse(text) as Record<string, unknown>;
    return { norms, images };
  };
  expect(figures(theirs.stdout)).toEqual(figures(ours.stdout));
  expect(figures(ours.stdout)).toMatchObject({ images: [{ label: 7, iterations: 1 }] });
});

it("one that is broken is one line with the remedy", async () => {
  const folder = install('throw new Error("The Node.js native addon module (tfjs_binding.node) can not be found at path: x");');
  const { code, stdout, stderr } = await attack(["--backend", "tensorflow"], runtime(folder));
  expect([code, JSON.parse(stdout)]).toMatchObject([3, { error: { code: "BACKEND_UNAVAILABLE" } }]);
  expect(stderr.trim()).toBe(
    "error BACKEND_UNAVAILABLE: The backend tensorflow cannot start: @tensorflow/tfjs-node is installed, but its native part is missing: install scripts were skipped, or their download failed. — Run “Bulwark: Install GPU Runtime” and choose Reinstall.",
  );
});

it("auto leaves a CPU build alone", async () => {
  const mark = workspace.file("auto");
  const folder = install(working({ kernel: `require("fs").writeFileSync(${JSON.stringify(mark)}, name);` }));
  expect((await attack([], runtime(folder))).code).toBe(0);
  expect(existsSync(mark)).toBe(false);
});
