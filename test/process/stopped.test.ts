import { existsSync, rmSync, writeFileSync } from "node:fs";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunState } from "../../src/shared/runs.ts";
import { bulwark, type Finished, newWorkspace, readJson, start, type Workspace } from "./support.ts";

const model = path.resolve(import.meta.dirname, "../../samples/models/papernot");

/** As a network drive: whoever opens the picture leaves a file "opening", and waits until there is a file "go". */
const slowDrive = `
const fs = require("node:fs");
const { open } = fs.promises;
fs.promises.open = async (file, ...rest) => {
  if (String(file).endsWith("grey.png")) {
    fs.writeFileSync("opening", "");
    while (!fs.existsSync("go")) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return open(file, ...rest);
};`;

let workspace: Workspace;
beforeAll(async () => {
  workspace = newWorkspace();
  await sharp({ create: { width: 28, height: 28, channels: 3, background: { r: 90, g: 90, b: 90 } } })
    .toColourspace("b-w")
    .png()
    .toFile(workspace.file("grey.png"));
  workspace.write("slow.cjs", slowDrive);
  expect((await bulwark(workspace, ...attack, "--out", "begun")).code).toBe(0);
});
afterAll(() => workspace.remove());

const attack = ["attack", "--model", model, "--image", "grey.png", "--attack", "fgsm", "--no-label", "--backend", "cpu"];

/** Ctrl-C while the picture is being read. The drive answers once the command has said that it is cancelled. */
async function stopped(words: readonly string[]): Promise<Finished> {
  for (const name of ["opening", "go"]) rmSync(workspace.file(name), { force: true });
  const running = start(workspace, words, { NODE_OPTIONS: `--require ${workspace.file("slow.cjs")}` });
  const said = new Promise<void>((resolve) => {
    let text = "";
    running.child.stderr?.on("data", (data: Buffer) => {
      text += data.toString("utf8");
      if (text.includes("error CANCELLED")) resolve();
    });
  });
  while (!existsSync(workspace.file("opening"))) await new Promise((resolve) => setTimeout(resolve, 20));
  running.child.kill("SIGINT");
  await said;
  workspace.write("go", "");
  return running.finished;
}

describe("Ctrl-C while data are being opened", () => {
  it("ends the command, and names no run where there is none", async () => {
    const { code, stdout, stderr } = await stopped([...attack, "--out", "fresh", "--json"]);
    expect([code, JSON.parse(stdout)]).toEqual([130, { error: expect.objectContaining({ code: "CANCELLED" }) }]);
    expect(stderr).not.toContain("bulwark resume");
    expect((await stopped(["predict", "--model", model, "--image", "grey.png", "--backend", "cpu"])).code).toBe(130);
  });

  it("names the run to go on with where one was resumed, or lies unfinished in --out", async () => {
    const { sum: _, ...state } = readJson<RunState & { sum?: string }>(workspace.file("begun/state.json"));
    writeFileSync(workspace.file("begun/state.json"), JSON.stringify({ ...state, status: "cancelled" }));
    for (const words of [
      ["resume", "begun"],
      [...attack, "--out", "begun"],
    ]) {
      const { code, stderr } = await stopped(words);
      expect([code, stderr]).toEqual([130, expect.stringContaining("stopped; `bulwark resume begun` goes on")]);
    }
  });
});
