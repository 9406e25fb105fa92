import { existsSync } from "node:fs";
import path from "node:path";
import { Type } from "@sinclair/typebox";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createContext } from "../../../../src/engine/context.ts";
import { defineInferenceDefense } from "../../../../src/engine/define/index.ts";
import { encodePng } from "../../../../src/engine/io/decode.ts";
import { attackDataset } from "../../../../src/engine/jobs/attackDataset.ts";
import { defendDataset } from "../../../../src/engine/jobs/defendDataset.ts";
import { defendRun } from "../../../../src/engine/jobs/defendRun.ts";
import { detectDataset } from "../../../../src/engine/jobs/detectDataset.ts";
import { predictDataset } from "../../../../src/engine/jobs/predictDataset.ts";
import { register } from "../../../../src/engine/registry.ts";
import { type Engine, startEngine } from "../../../../src/engine/session/engine.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";
import { newWorkspace } from "../../../process/support.ts";

const samples = path.resolve(import.meta.dirname, "../../../../samples");
const seven = path.join(samples, "seven.png");
const workspace = newWorkspace();
let seen = 0;

const defense = (id: string, transform: (x: Images) => Images) =>
  defineInferenceDefense({
    id,
    title: id,
    paper: "",
    params: Type.Object({}),
    backward: () => "exact",
    transform,
  });
const entries = [
  defense("halving", (x) => tf.avgPool(x, 2, 2, "same")),
  defense("adding", (x) => tf.concat([x, tf.slice(x, 0, 1)])),
  defense("notANumber", (x) => tf.div(x, tf.sub(x, x))),
  defense("brightening", (x) => tf.mul(x, 2)),
  defense("failing", () => {
    throw new Error("out of order");
  }),
  /** Right for images of 28×28 alone. */
  defense("narrow", (x) => (x.shape[1] === 28 ? x.clone() : tf.add(x, 1))),
  defense("counting", (x) => {
    seen += x.shape[0];
    return x.clone();
  }),
];
const withdraw = entries.map((entry) => register("defense", entry));

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine("cpu");
});
afterAll(() => {
  for (const back of withdraw) back();
  workspace.remove();
});

const bad = [
  ["halving", "turned images of 28×28×1 into 14×14×1"],
  ["adding", /turned (3 images into 4|1 images into 2)/],
  ["notANumber", "returned NaN"],
  ["brightening", /returned values from 0 to [12]/],
  ["failing", "out of order"],
] as const;

describe.each(bad)("a defence that is wrong (%s)", (id, message) => {
  const request = (directory: string) => ({
    model: path.join(samples, "models/papernot"),
    images: [seven],
    dataset: null,
    split: "test" as const,
    limit: null,
    defenses: [
      { id: "bitDepth", params: {} },
      { id, params: {} },
    ],
    seed: 1,
    workspace: workspace.directory,
    directory: workspace.file(directory),
  });
  const refused = async (directory: string, work: (p: ReturnType<typeof request>) => Promise<unknown>): Promise<void> => {
    await expect(work(request(directory))).rejects.toMatchObject({ code: "DEFENSE_INVALID", message: expect.stringMatching(message) });
    expect(existsSync(workspace.file(directory))).toBe(false);
  };
  const ctx = createContext();

  it("is refused before anything is computed, by every verb that takes it", async () => {
    await refused("predict", (p) => predictDataset({ ...p, gradient: true }, engine, ctx));
    await refused("defend", (p) => defendDataset(p, engine, ctx));
    await refused("alone", (p) => defendDataset({ ...p, model: null }, engine, ctx));
    await refused("detect", (p) => detectDataset({ ...p, detector: { id: "softmaxEntropy", params: {} } }, engine, ctx));
    await refused("attack", (p) => attackDataset({ ...p, attack: { id: "fgsm", params: {} }, mode: null }, { engine, signal: ctx.signal }));
  });

  it("is refused by the Inspector's card for what it makes of the picture on show", async () => {
    const about = { image: seven, fit: null, iteration: null, folder: "" };
    await refused("card", (p) => defendRun({ ...p, ...about, run: p.directory, defenses: [], chain: p.defenses }, engine, ctx));
    await refused("behind", (p) => defendRun({ ...p, ...about, run: p.directory, chain: [] }, engine, ctx));
  });
});

describe("pictures of several sizes", () => {
  it("are all tried before the first is transformed", async () => {
    const small = workspace.write("small.png", await encodePng(new Uint8Array(6 * 5), 6, 5, 1));
    const images = [seven, small];
    const base = { images, dataset: null, split: "test" as const, limit: null, seed: 1, workspace: workspace.directory, model: null };
    const defenses = ["counting", "narrow"].map((id) => ({ id, params: {} }));
    const asked = defendDataset({ ...base, defenses, directory: workspace.file("sizes") }, engine, createContext());
    await expect(asked).rejects.toMatchObject({
      code: "DEFENSE_INVALID",
      message: expect.stringContaining("narrow returned values from 1 to 2"),
    });
    expect([seen, existsSync(workspace.file("sizes"))]).toEqual([6, false]); // three trial images of each size
  });
});
