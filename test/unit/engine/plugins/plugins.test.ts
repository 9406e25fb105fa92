import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { catalog } from "../../../../src/engine/catalog.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { parseExperiment } from "../../../../src/engine/experiment/load.ts";
import { resolveExperiment } from "../../../../src/engine/experiment/resolve.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { checkPlugin } from "../../../../src/engine/plugins/check.ts";
import { usePlugins, usePluginsOf } from "../../../../src/engine/plugins/load.ts";
import { bind, registry } from "../../../../src/engine/registry.ts";
import { linearClassifier } from "../fixtures.ts";

let folder: string;
beforeAll(() => useBackend("cpu"));
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), "plugins-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const write = (name: string, text: string): string => {
  writeFileSync(path.join(folder, name), text);
  return `./${name}`;
};
/** A plugin of one attack, whose `run` is `body`. */
const attack = (id: string, body: string): string => `export default ({ defineAttack, Type, num, tf }) =>
  defineAttack({
    id: "${id}", title: "An attack", access: "labels", iterative: false,
    params: Type.Object({ eps: num(0.5, "Radius.", { min: 0, max: 1 }) }),
    ball: ({ eps }) => ({ norm: "linf", radius: eps }),
    async run(model, { images }, { eps }, ctx) {
      ${body}
    },
  });
`;
const brighter = "return tf.tidy(() => tf.clipByValue(tf.add(images, eps), 0, 1));";
const use = (...names: string[]) => usePlugins(names, folder);
const refusal = (text: string) => use(write("p.mjs", text)).catch((error: unknown) => error);

describe("a plugin", () => {
  it("adds its entries to the registry, the catalogue and the schema of experiments", async () => {
    const name = write("bright.mjs", attack("brighter1", brighter));
    const [plugin] = await use(name);
    expect(plugin).toMatchObject({ entries: [{ kind: "attack", id: "brighter1" }], sha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    expect(catalog().find(({ id }) => id === "brighter1")).toMatchObject({ kind: "attack", norm: "linf", access: "labels" });
    const text = `{ "plugins": ["${name}"], "dataset": { "kind": "mnist" }, "model": { "kind": "lenet" },\n "attacks": [{ "kind": "brighter1", "eps": 0.25 }] }`;
    const { experiment, plugins } = await parseExperiment(text, "x", folder);
    const resolved = resolveExperiment(experiment, { directory: folder, name: "x", plugins });
    expect(resolved.attacks[0]).toMatchObject({ id: "brighter1", params: { eps: 0.25 } });
    expect(resolved.plugins.map(({ file }) => path.basename(file))).toEqual(["bright.mjs"]);
    const wrong = parseExperiment(text.replace("0.25", "2"), "x", folder);
    await expect(wrong).rejects.toMatchObject({ code: "EXPERIMENT_INVALID", message: expect.stringMatching(/x:2:.*eps/) });
  });

  it("attacks as every other does: the harness projects what it returns and decides", async () => {
    await use(write("far.mjs", attack("brighter2", "return tf.tidy(() => tf.mul(tf.onesLike(images), 3));")));
    const { entry, params } = bind("attack", { kind: "brighter2", eps: 0.25 });
    const model = linearClassifier(
      [
        [0, 0],
        [1, 1],
      ],
      [1, 2, 1],
      [1.2, 0],
    );
    const batch = { images: Float32Array.of(0.5, 0.5), labels: Int32Array.of(0), n: 1 };
    const { adversarial, records, notes } = await attackBatch(
      { attack: entry, params, model, batch, firstIndex: 0, seedName: "p" },
      createContext(),
    );
    expect(Array.from(adversarial)).toEqual([0.75, 0.75]);
    expect(records[0]).toMatchObject({ success: true, linf: 0.25 });
    expect(notes.outOfBall).toBe(1);
  });

  it("is not run again while it stays the same, and takes its own place once it has changed", async () => {
    const name = write("twice.mjs", attack("brighter3", brighter));
    const [first] = await use(name);
    const [again] = await use(name);
    expect(again).toBe(first);
    write("twice.mjs", attack("brighter3b", brighter));
    await use(name);
    const ids = registry.attack.map(({ id }) => id);
    expect([ids.includes("brighter3"), ids.includes("brighter3b")]).toEqual([false, true]);
  });

  it("belongs to the run that was begun with it: another file of that name is refused", async () => {
    const [plugin] = await use(write("begun.mjs", attack("brighter4", brighter)));
    if (!plugin) throw new Error("nothing was loaded");
    expect(await usePluginsOf("run", [plugin])).toMatchObject([{ sha256: plugin.sha256 }]);
    write("begun.mjs", attack("brighter4", `${brighter} // otherwise`));
    await expect(usePluginsOf("run", [plugin])).rejects.toMatchObject({
      code: "RUN_INVALID",
      message: expect.stringMatching(/has changed since/),
    });
  });
});

describe("a plugin that cannot be used is refused in one sentence that names its file", () => {
  it.each([
    ["a fault of syntax", "export default (\n  const = 1;\n", /p\.mjs:2: cannot be loaded: SyntaxError/],
    ["no default export", "export const attack = 1;", /p\.mjs: has no function as its default export/],
    ["nothing returned", "export default () => {};", /p\.mjs: returns no entry/],
    ["an entry without a define function", 'export default () => ({ id: "x" });', /p\.mjs: returns no entry/],
    ["an empty list", "export default () => [];", /p\.mjs: adds nothing/],
    ["a throw", 'export default () => {\n  throw new Error("not today");\n};', /p\.mjs:2: cannot be loaded: Error: not today/],
    ["an id that is taken", attack("pgd", brighter), /p\.mjs: There is a attack "pgd" already|p\.mjs: There is an attack "pgd" already/],
    ["an id that is no name", attack("my attack", brighter), /p\.mjs: attack my attack: its id is no name/],
    ["no parameters", "export default ({ defineAttack }) => defineAttack({ id: 'a1', title: 'A' });", /params are no Type.Object/],
    ["no run", attack("a2", brighter).replace("async run", "async go"), /p\.mjs: attack a2: run is no function/],
    ["no access", attack("a3", brighter).replace('access: "labels",', ""), /access is missing/],
    ["defaults out of bounds", attack("a4", brighter).replace("num(0.5", "num(5"), /its defaults are refused.*eps/],
    ["an import of another file", 'import "./other.mjs";\nexport default () => [];', /imports \.\/other\.mjs/],
    ["an import from the web", 'import x from "https://example.org/x.mjs";\nexport default () => [];', /imports https:/],
  ])("%s", async (_, text, message) => {
    const error = await refusal(text);
    expect(error).toMatchObject({ code: "PLUGIN_INVALID", message: expect.stringMatching(message), fix: expect.stringMatching(/\.$/) });
  });

  it("leaves nothing behind where only the second of its entries is refused", async () => {
    const two = `export default (api) => [(${attack("a5", brighter).replace("export default", "").replace(/;\s*$/, "")})(api), (${attack("fgsm", brighter).replace("export default", "").replace(/;\s*$/, "")})(api)];`;
    await expect(use(write("p.mjs", two))).rejects.toMatchObject({ code: "PLUGIN_INVALID" });
    expect(registry.attack.some(({ id }) => id === "a5")).toBe(false);
  });

  it("lies in the folder of the experiment, and nowhere else", async () => {
    const inner = path.join(folder, "inner");
    mkdirSync(inner);
    write("outside.mjs", attack("a6", brighter));
    symlinkSync(path.join(folder, "outside.mjs"), path.join(inner, "link.mjs"));
    const from = (name: string) => usePlugins([name], inner);
    for (const name of ["../outside.mjs", "./link.mjs", path.join(folder, "outside.mjs")])
      await expect(from(name)).rejects.toMatchObject({
        code: "PLUGIN_INVALID",
        message: expect.stringMatching(/outside the experiment's folder/),
      });
    for (const name of ["https://example.org/a.mjs", "file:///a.mjs", "data:text/javascript,1.mjs"])
      await expect(from(name)).rejects.toMatchObject({ message: expect.stringMatching(/is a URL/) });
    await expect(from("./a.js")).rejects.toMatchObject({ message: expect.stringMatching(/no \.mjs file/) });
    await expect(from("./none.mjs")).rejects.toMatchObject({ message: expect.stringMatching(/is not in/) });
    expect(registry.attack.some(({ id }) => id === "a6")).toBe(false);
  });
});

describe("what goes wrong while it runs names the plugin", () => {
  const model = () =>
    linearClassifier(
      [
        [1, 0],
        [0, 1],
      ],
      [1, 2, 1],
    );
  const run = async (id: string, body: string) => {
    await use(write(`${id}.mjs`, attack(id, body)));
    const { entry, params } = bind("attack", { kind: id });
    const batch = { images: Float32Array.of(0.6, 0.4), labels: Int32Array.of(0), n: 1 };
    return attackBatch({ attack: entry, params, model: model(), batch, firstIndex: 0, seedName: id }, createContext());
  };

  it.each([
    ["b1", 'throw new Error("no idea");', /b1\.mjs:7: b1\.run failed: Error: no idea\.$/],
    ["b2", "return undefined;", /b2\.mjs: b2\.run returned nothing in place of images \[1, 1, 2, 1\]/],
    ["b3", "return tf.zeros([1, 3]);", /b3\.mjs: b3\.run returned a tensor \[1, 3\]/],
    ["b4", "return tf.add(images, tf.zeros([3, 3, 3]));", /b4\.mjs:7: b4\.run failed: Error: .*broadcast/],
  ])("%s: %s", async (id, body, message) => {
    await expect(run(id, body)).rejects.toMatchObject({ code: "PLUGIN_FAILED", message: expect.stringMatching(message) });
  });

  it("what is no number is set back by the harness, and counted", async () => {
    const { notes, records } = await run("b5", "return tf.mul(images, NaN);");
    expect([notes.notFinite, records[0]?.success]).toEqual([1, false]);
  });
});

describe("check-plugin", () => {
  const check = async (id: string, body: string) => {
    write(`${id}.mjs`, attack(id, body));
    const { checks } = await checkPlugin(path.join(folder, `${id}.mjs`), { directory: folder, params: () => ({}) }, () => createContext());
    return checks.filter(({ problem }) => problem !== null).map(({ check: name, problem }) => `${name}: ${problem}`);
  };

  it("has nothing to say of an attack that keeps its promises", async () => {
    expect(await check("c1", brighter)).toEqual([]);
  });

  it.each([
    ["c2", "return tf.tidy(() => tf.add(images, 0.7));", /^stays in its ball.*outside its ball or outside \[0,1\]; clip/],
    ["c3", "return tf.tidy(() => tf.mul(images, NaN));", /^stays in its ball.*no numbers/],
    ["c4", "tf.zeros([1]); return images.clone();", /^leaks no tensor.*tensors are left/],
    [
      "c5",
      "return tf.tidy(() => tf.clipByValue(tf.add(images, Math.random() * eps), 0, 1));",
      /^gives the same images for the same seed.*ctx\.random/,
    ],
    ["c6", "return tf.tidy(() => tf.clipByValue(tf.add(images, images.shape[0] * 0.1), 0, 1));", /^gives an image the same result alone/],
    ["c7", 'throw new Error("no");', /c7\.mjs:7: c7\.run failed: Error: no/],
  ])("%s: %s", async (id, body, message) => {
    expect(await check(id, body)).toContainEqual(expect.stringMatching(message));
  });
});
