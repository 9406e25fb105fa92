import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { MessageConnection } from "vscode-jsonrpc";
import "vscode-jsonrpc/node";
import { decodeTransparent } from "../../../../src/engine/io/decode.ts";
import { serve } from "../../../../src/engine/server.ts";
import type { TrainPatchParams, TrainPatchResult, TrainPatchUpdate } from "../../../../src/shared/patch.ts";
import { patchSuccessMapProgress, protocolVersion, requests, trainPatchProgress } from "../../../../src/shared/protocol.ts";
import { connect, fromResponseError, portPair } from "../../../../src/shared/rpc.ts";

const samples = path.resolve(import.meta.dirname, "../../../../samples");
const digits = ["zero", "one", "two", "four", "seven", "nine"].map((name) => path.join(samples, `${name}.png`));
const model = path.join(samples, "models/papernot");

let client: MessageConnection;
let directory = "";
let trained: TrainPatchResult;
const updates: TrainPatchUpdate[] = [];
const training = (name: string, settings: TrainPatchParams["settings"]): TrainPatchParams & { token: string } => ({
  model,
  images: { files: digits },
  settings,
  seed: 1,
  directory: path.join(directory, name),
  workspace: directory,
  token: name,
});

beforeAll(async () => {
  const [near, far] = portPair();
  const server = connect(far);
  serve(server, () => undefined);
  server.listen();
  client = connect(near);
  client.listen();
  directory = await mkdtemp(path.join(tmpdir(), "studio-"));
  await client.sendRequest(requests.handshake, { backend: "onnxruntime", protocol: protocolVersion });
  client.onProgress(trainPatchProgress, "patch", (update) => void updates.push(update));
  trained = await client.sendRequest(requests.trainPatch, training("patch", { area: 0.15, target: 3, steps: 60, batchSize: 8 }));
}, 60_000);
afterAll(async () => {
  client.dispose();
  await rm(directory, { recursive: true, force: true });
});

const error = (request: Promise<unknown>) => request.catch(fromResponseError);

describe("training a patch", () => {
  it("streams its steps and ends with a patch that raises the target", async () => {
    expect(updates[0]).toMatchObject({
      kind: "started",
      steps: 60,
      size: [11, 11],
      imageSize: [28, 28, 1],
      images: 6,
      target: { index: 3 },
    });
    const pictures = updates.flatMap((update) => (update.kind === "step" && update.picture ? [update.picture] : []));
    expect(pictures).toHaveLength(21);
    for (const file of pictures) expect((await decodeTransparent(await readFile(path.join(trained.directory, file)), file)).width).toBe(11);
    const { history, figures, imageCount, model: made } = trained.patch.training;
    expect([imageCount, made.name]).toEqual([6, "papernot"]);
    expect(figures.logProbability ?? Number.NaN).toBeGreaterThan((history[0]?.logProbability ?? 0) + 1);
    const saved = JSON.parse(await readFile(path.join(trained.directory, trained.document), "utf8"));
    expect(saved).toEqual(trained.patch);
    expect(JSON.parse(await readFile(path.join(trained.directory, "state.json"), "utf8"))).toMatchObject({ kind: "patch", status: "done" });
  });

  it("refuses what cannot be", async () => {
    const refused = async (settings: TrainPatchParams["settings"]) =>
      error(client.sendRequest(requests.trainPatch, training("no", settings)));
    expect(await refused({ target: 10 })).toMatchObject({ code: "LABEL_RANGE" });
    expect(await refused({ area: 1, scaleMax: 2 })).toMatchObject({ code: "PARAMETER_INVALID" });
    expect(await refused({ area: 0 })).toMatchObject({ code: "PARAMETER_INVALID" });
    expect(await refused({ areas: 1 })).toMatchObject({ code: "PARAMETER_INVALID" });
  });
});

describe("pasting it", () => {
  const image = path.join(samples, "seven.png");
  const placement = { row: 9.5, column: 18.5, rotation: 0, scale: 1 };
  const apply = (more: object = {}) => ({ model, image, patch: path.join(directory, "patch/patch.png"), placement, directory, ...more });

  it("puts its pixels there and asks the model", async () => {
    const result = await client.sendRequest(requests.applyPatch, apply());
    expect(result).toMatchObject({
      image: "pasted.png",
      patchSize: [11, 11],
      fits: true,
      labelKnown: false,
      label: { index: 7 },
      target: { index: 3 },
    });
    expect(result.coverage).toBeCloseTo(121 / 784, 6);
    expect(result.success).toBe(result.patched[0]?.index !== 7);
    expect(result.targetReached).toBe(result.patched[0]?.index === 3);
    const [pasted, patch, clean] = await Promise.all(
      [path.join(directory, "pasted.png"), path.join(directory, "patch/patch.png"), image].map(async (file) =>
        decodeTransparent(await readFile(file), file),
      ),
    );
    for (let y = 0; y < 28; y++)
      for (let x = 0; x < 28; x++) {
        const inside = y >= 4 && y < 15 && x >= 13 && x < 24; // 9.5 ± 5.5, 18.5 ± 5.5
        const from = inside ? patch?.data[4 * ((y - 4) * 11 + x - 13)] : clean?.data[4 * (y * 28 + x)];
        expect(pasted?.data[4 * (y * 28 + x)]).toBe(from);
      }
  });

  it("hangs over the border where it is put there, and takes any picture as a sticker", async () => {
    const over = await client.sendRequest(requests.applyPatch, apply({ placement: { ...placement, row: 0 }, label: 2, file: "over.png" }));
    expect(over).toMatchObject({ fits: false, labelKnown: true, label: { index: 2 }, image: "over.png" });
    expect(over.coverage).toBeCloseTo((11 * 5.5) / 784, 2);
    const sticker = await client.sendRequest(requests.applyPatch, apply({ patch: digits[0], sticker: { area: 0.25, target: 0 } }));
    expect(sticker).toMatchObject({ patchSize: [14, 14], target: { index: 0 } });
  });

  it("refuses places that are none", async () => {
    const refused = (more: object) => error(client.sendRequest(requests.applyPatch, apply(more)));
    expect(await refused({ placement: { ...placement, scale: 0 } })).toMatchObject({ code: "PARAMETER_INVALID" });
    expect(await refused({ placement: { ...placement, scale: 3 } })).toMatchObject({
      message: "The patch at scale 3 is 33×33 pixels, larger than the image of 28×28.",
    });
    expect(await refused({ label: 10 })).toMatchObject({ code: "LABEL_RANGE" });
    expect(await refused({ patch: "none.png" })).toMatchObject({ code: "FILE_NOT_FOUND" });
  });

  it("shows it at random places", async () => {
    const request = {
      model,
      images: { files: digits },
      patch: path.join(directory, "patch"),
      count: 8,
      seed: 3,
      directory,
      workspace: directory,
    };
    const { pictures, figures } = await client.sendRequest(requests.previewPatch, request);
    expect(pictures.map(({ image: of }) => of)).toEqual([0, 1, 2, 3, 4, 5, 0, 1]);
    expect(pictures.map(({ label }) => label.index)).toEqual([0, 1, 2, 4, 7, 9, 0, 1]);
    expect(figures).toMatchObject({ images: 8, successRate: pictures.filter(({ success }) => success).length / 8 });
    for (const { file, placement: at } of pictures) {
      expect(Math.abs(at.rotation)).toBeLessThanOrEqual(22.5);
      expect((await stat(path.join(directory, file))).size).toBeGreaterThan(100);
    }
    expect(await client.sendRequest(requests.previewPatch, request)).toEqual({ directory, pictures, figures });
  });

  it("maps its success over the places", async () => {
    const seen: number[] = [];
    client.onProgress(patchSuccessMapProgress, "map", ({ done }) => void seen.push(done));
    const images = { files: digits };
    const request = {
      model,
      images,
      patch: path.join(directory, "patch/patch.json"),
      stride: 4,
      directory,
      workspace: directory,
      token: "map",
    };
    const map = await client.sendRequest(requests.patchSuccessMap, request);
    // 28 − 11 = 17 pixels of room: 5 places, one pixel left over
    expect(map.rows).toEqual([5.5, 9.5, 13.5, 17.5, 21.5]);
    expect(map.columns).toEqual(map.rows);
    expect([map.images, map.success.length, map.target?.[4]?.length, map.probability[0]?.length]).toEqual([6, 5, 5, 5]);
    expect(seen.at(-1)).toBe(25);
    // A place of the map says what applying the patch there says of every image.
    const hits = await Promise.all(
      digits.map(async (file) =>
        client.sendRequest(requests.applyPatch, apply({ image: file, placement: { row: 9.5, column: 17.5, rotation: 0, scale: 1 } })),
      ),
    );
    expect(map.success[1]?.[3]).toBeCloseTo(hits.filter(({ success }) => success).length / 6, 9);
    expect(map.target?.[1]?.[3]).toBeCloseTo(hits.filter(({ targetReached }) => targetReached).length / 6, 9);
    const mean = hits.reduce((sum, { patched }) => sum + (patched.find(({ index }) => index === 3)?.probability ?? 0), 0) / 6;
    expect(map.probability[1]?.[3]).toBeCloseTo(mean, 4);
    const picture = await decodeTransparent(await readFile(path.join(directory, map.picture)), map.picture);
    expect([picture.height, picture.width, picture.data[3], picture.data[4 * (13 * 28 + 13) + 3]]).toEqual([28, 28, 0, 255]);
    expect(await error(client.sendRequest(requests.patchSuccessMap, { ...request, stride: 0 }))).toMatchObject({
      code: "PARAMETER_INVALID",
    });
  });

  it("exports it for print", async () => {
    const file = path.join(directory, "print.png");
    const printed = await client.sendRequest(requests.exportPatch, {
      patch: path.join(directory, "patch"),
      centimetres: 5,
      dpi: 254,
      file,
    });
    expect(printed).toEqual({ file, pixels: [500, 500], centimetres: [5, 5], dpi: 254, upscaling: "nearest" });
  });
});
