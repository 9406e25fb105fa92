import { execFileSync } from "node:child_process";
import { rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import path from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { RunState } from "../../src/shared/runs.ts";
import { bulwark, type Finished, newWorkspace, readJson, start, type Workspace } from "./support.ts";

const model = path.resolve(import.meta.dirname, "../../samples/models/papernot");

let workspace: Workspace;
beforeAll(async () => {
  workspace = newWorkspace();
  await sharp({ create: { width: 28, height: 28, channels: 3, background: { r: 90, g: 90, b: 90 } } })
    .toColourspace("b-w")
    .png()
    .toFile(workspace.file("grey.png"));
  expect((await bulwark(workspace, ...attack, "--out", "begun")).code).toBe(0);
  rmSync(workspace.file("grey.png"));
  execFileSync("mkfifo", [workspace.file("grey.png")]); // reading it takes until somebody has written: a file as large as one likes
});
afterAll(() => workspace.remove());

const attack = ["attack", "--model", model, "--image", "grey.png", "--attack", "fgsm", "--no-label", "--backend", "cpu"];

/** Ctrl-C while the picture is being read. The pipe is let go of once the command has said that it is cancelled. */
async function stopped(words: readonly string[]): Promise<Finished> {
  const running = start(workspace, words);
  const said = new Promise<void>((resolve) => {
    let text = "";
    running.child.stderr?.on("data", (data: Buffer) => {
      text += data.toString("utf8");
      if (text.includes("error CANCELLED")) resolve();
    });
  });
  const pipe = await open(workspace.file("grey.png"), "w"); // when the command has opened it
  running.child.kill("SIGINT");
  await said;
  await pipe.close();
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
    const state = readJson<RunState>(workspace.file("begun/state.json"));
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
