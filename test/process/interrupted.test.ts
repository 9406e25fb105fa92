import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { figuresOf, hashesOf } from "./experiment.ts";
import { bulwark, newWorkspace, readJson, start, untilEvent, type Workspace } from "./support.ts";

let workspace: Workspace;
const picture = (split: string, i: number): string => `photos/${split}/${i % 2 === 0 ? "dark" : "light"}/${String(i).padStart(3, "0")}.png`;
beforeAll(async () => {
  workspace = newWorkspace();
  for (const [split, n] of [
    ["train", 24],
    ["test", 4],
  ] as const)
    for (let i = 0; i < n; i++) {
      const file = workspace.file(picture(split, i));
      mkdirSync(path.dirname(file), { recursive: true });
      const value = (i % 2 === 0 ? 20 : 200) + (i % 40);
      await sharp({ create: { width: 28, height: 28, channels: 3, background: { r: value, g: value, b: value } } })
        .png()
        .toFile(file);
    }
  const experiment = {
    dataset: { kind: "imageFolder", path: "photos", channels: "gray" },
    model: { kind: "lenet" },
    train: { epochs: 3, batchSize: 4, validation: 0 },
    attacks: [{ kind: "fgsm" }],
  };
  workspace.write("photos.bulwark.jsonc", JSON.stringify(experiment));
  expect(await run("whole")).toMatchObject({ code: 0 });
});
afterAll(() => workspace.remove());

const backend = ["--backend", "onnxruntime"];
const run = (out: string) => bulwark(workspace, "run", "photos.bulwark.jsonc", "--out", out, "--quiet", ...backend);
const resume = (out: string) => bulwark(workspace, "resume", out, "--quiet", ...backend);

describe("the images to a batch", () => {
  it("are said and kept with the run, and a run that is resumed makes the batches that it was begun with", async () => {
    const batches = (out: string) => readJson<unknown>(workspace.file(`${out}/batches.json`));
    expect(batches("whole")).toEqual({ undefended: { forward: 100, gradient: 100 } });
    const running = start(workspace, ["run", "photos.bulwark.jsonc", "--out", "batches", ...backend]);
    await untilEvent(running, workspace.file("batches"), (event) => event.kind === "batch");
    running.child.kill("SIGKILL");
    expect((await running.finished).stderr).toMatch(
      /undefended: 100 images at a time: one needs about [\d.]+ kB, and [\d.]+ GB of memory are free\./,
    );
    expect(batches("batches")).toEqual(batches("whole"));
    workspace.write("batches/batches.json", JSON.stringify({ undefended: { forward: 3, gradient: 2 } }));
    expect((await bulwark(workspace, "resume", "batches", ...backend)).stderr).toContain(
      "undefended: 2 images at a time (3 where no gradient is taken)",
    );
    expect(batches("batches")).toEqual({ undefended: { forward: 3, gradient: 2 } });
    expect(figuresOf(workspace.file("batches"))).toEqual(figuresOf(workspace.file("whole")));
  });
});

describe("data that fail in the middle of a training", () => {
  it("a broken picture is named, can be left out, and once it is mended the run goes on to the same end", async () => {
    const running = start(workspace, ["run", "photos.bulwark.jsonc", "--out", "broken", ...backend]);
    const file = workspace.file(picture("train", 7));
    const whole = readFileSync(file);
    await untilEvent(running, workspace.file("broken"), (event) => event.kind === "step");
    writeFileSync(file, whole.subarray(0, 50));
    const { code, stderr } = await running.finished;
    expect([code, stderr.trim().split("\n").at(-1)]).toEqual([
      3,
      expect.stringMatching(/^error IMAGE_INVALID: \S*007\.png is damaged or is not an image\. — .*"onBroken": "skip"\.$/),
    ]);
    expect(stderr).toContain("`bulwark resume broken` goes on");
    expect((await resume("broken")).code).toBe(3);
    writeFileSync(file, whole);
    expect(await resume("broken")).toMatchObject({ code: 0 });
    expect(hashesOf(workspace.file("broken"))).toEqual(hashesOf(workspace.file("whole")));
  });

  it("a folder that is gone is named, and once it is back the run goes on to the same end", async () => {
    const running = start(workspace, ["run", "photos.bulwark.jsonc", "--out", "gone", ...backend]);
    await untilEvent(running, workspace.file("gone"), (event) => event.kind === "step");
    renameSync(workspace.file("photos"), workspace.file("away"));
    const { code, stderr } = await running.finished;
    renameSync(workspace.file("away"), workspace.file("photos"));
    expect([code, stderr.trim().split("\n").at(-1)]).toEqual([
      3,
      expect.stringMatching(/^error FILE_NOT_FOUND: The folder \S*photos is not there any more\. — Bring it back\.$/),
    ]);
    expect(await resume("gone")).toMatchObject({ code: 0 });
    expect(hashesOf(workspace.file("gone"))).toEqual(hashesOf(workspace.file("whole")));
  });
});
