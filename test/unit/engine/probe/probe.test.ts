import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { probeContract, writeProbe } from "../../../../src/engine/jobs/probeContract.ts";
import { Normalization } from "../../../../src/engine/models/layers/normalization.ts";
import { candidatesOf } from "../../../../src/engine/probe/candidates.ts";
import { tfl as layers, type tfl } from "../../../../src/engine/tf.ts";
import type { InputContract } from "../../../../src/shared/contract.ts";
import type { ContractProbe } from "../../../../src/shared/probe.ts";
import { colourNetwork, colours, type Input, normedNetwork, saveModel, side, writePictures, writeTallPictures } from "./fixtures.ts";

let folder: string;
beforeAll(async () => {
  await useBackend("cpu");
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-probe-"));
});
afterAll(() => fs.rm(folder, { recursive: true }));

let count = 0;
interface Asked {
  readonly network: tfl.LayersModel;
  readonly declared?: InputContract;
  readonly n?: number;
  readonly label?: (c: number, i: number) => number;
  readonly only?: number;
}
async function probed({ network, declared, n = 64, label, only }: Asked): Promise<ContractProbe> {
  const model = await saveModel(path.join(folder, `model-${count}`), network, declared);
  const file = path.join(folder, `pictures-${count++}.npz`);
  await writePictures(file, n, label, only);
  const params = { model, dataset: `arrays:${file}`, split: "test", limit: 200, seed: 1, workspace: folder } as const;
  return probeContract(params, { contract: undefined }, createContext());
}
const inputOf = (id: string): Input => candidatesOf(3).find((one) => one.id === id)?.input ?? {};
const right = (found: ContractProbe, id: string): boolean =>
  found.candidates.some((one, i) => one.id === id && (i === 0 || one.sameAsBest));

describe("the contract probe", () => {
  /** Ranges far from all others are decided with 32 pictures; those with near ones on both sides are not, here. */
  const truths = [
    ["unit rgb", false],
    ["signed rgb", false],
    ["bytes rgb", true],
    ["bytes bgr", true],
    ["imagenet rgb", false],
    ["caffe bgr", true],
    ["signed bgr", false],
  ] as const;
  const declared = [undefined, "signed bgr", "imagenet rgb"];

  it.each(truths)("of a network that takes %s never decides wrongly, whatever its contract says", async (truth, isFar) => {
    let decided = 0;
    for (const says of declared)
      for (const n of [8, 32, 64]) {
        const contract = says === undefined ? undefined : { input: inputOf(says) };
        const found = await probed({ network: colourNetwork(inputOf(truth)), n, ...(contract ? { declared: contract } : {}) });
        if (n === 8) expect(found).toMatchObject({ decided: false, contract: null, cannotTell: [expect.stringContaining("too few")] });
        if (found.decided) expect(right(found, truth), `${truth}, declared ${says}, ${n}: ${found.best}`).toBe(true);
        else expect(found.cannotTell.length).toBeGreaterThan(0);
        if (found.decided) decided++;
      }
    if (isFar) expect(decided).toBe(2 * declared.length);
  });

  it("decides for a network of bytes with 64 pictures, shows its evidence, and writes what it found into the contract beside the model", async () => {
    const output = { classes: colours.map((_, c) => `colour ${c}`) };
    const found = await probed({ network: colourNetwork(inputOf("bytes rgb")), declared: { input: { mean: 0, scale: 255 }, output } });
    expect(found).toMatchObject({ decided: true, n: 64, labels: "identity", best: "bytes rgb (0…255)", cannotTell: [] });
    expect(found.evidence).toContainEqual({ strength: "strong", text: "model.bulwark.json says 0…1" });
    expect(found.findings.map(({ rule }) => rule)).toEqual(["RB101"]);
    const file = await writeProbe(found);
    const written = JSON.parse(await fs.readFile(file, "utf8"));
    expect(written).toMatchObject({ input: { mean: 0, scale: 1, channels: "rgb" }, output, probe: { n: 64, split: "test" } });
    expect(written.probe.hits).toBe(found.candidates[0]?.hits);
    expect((await fs.readdir(path.dirname(file))).sort()).toEqual(["model.bulwark.json", "model.json", "weights.bin"]);
  });

  it("cannot tell from fewer than 12 pictures, from one class only, and where nothing works", async () => {
    const network = () => colourNetwork(inputOf("unit rgb"));
    expect((await probed({ network: network(), n: 11 })).cannotTell).toEqual([expect.stringMatching(/^11 labelled images are too few/)]);
    expect((await probed({ network: network(), only: 2 })).cannotTell).toEqual([expect.stringMatching(/^All images are of one class/)]);
    const random = await probed({ network: network(), label: (_, i) => Math.floor(i / 6) % 6 });
    expect(random).toMatchObject({ decided: false, cannotTell: [expect.stringMatching(/^No range that was tried works: the best/)] });
  });

  it("finds an order of the classes that no reading knows on half of the pictures, and judges by the other half", async () => {
    const found = await probed({ network: colourNetwork(inputOf("bytes rgb")), n: 120, label: (c) => (c * 5 + 3) % 6 });
    expect(found).toMatchObject({ labels: "assigned", decided: true, best: "bytes rgb (0…255)", n: 60 });
    // class 0 is labelled 3, class 1 is labelled 2 …: label l is output (5·(l − 3)) mod 6
    expect(found.findings).toMatchObject([
      { rule: "RB101" },
      { rule: "RB108", message: expect.stringContaining("0 is output 3, 1 is output 2") },
      { rule: "RB111" },
    ]);
  });

  it("believes the statistics of a batch normalisation, which four pictures a class would not tell", async () => {
    const found = await probed({ network: normedNetwork(), n: 64 });
    expect(found).toMatchObject({ decided: true, best: "unit rgb (0…1)" });
    expect(found.evidence).toContainEqual({ strength: "strong", text: expect.stringMatching(/batch normalisation fit unit rgb \(0\.0/) });
    expect(found.candidates[0]?.batchNormDistance).toBeLessThan(0.05);
    expect(found.candidates.find(({ id }) => id === "signed rgb")).toMatchObject({
      standing: expect.stringMatching(/beaten|contradicted/),
    });
    const without = await probed({ network: colourNetwork(inputOf("unit rgb")), n: 64 });
    expect(without.candidates[0]?.batchNormDistance).toBeNull();
  });

  it("takes a first layer Normalization at its word where the pictures do not speak against it", async () => {
    const input = layers.input({ shape: [side, side, 3] });
    const normalised = new Normalization({ mean: [127.5, 127.5, 127.5], variance: [127.5 ** 2, 127.5 ** 2, 127.5 ** 2] }).apply(input);
    const network = layers.model({ inputs: input, outputs: colourNetwork(inputOf("signed rgb")).apply(normalised) as tfl.SymbolicTensor });
    const found = await probed({ network, n: 32 });
    expect(found).toMatchObject({ decided: true, best: "bytes rgb (0…255)" });
    expect(found.evidence[0]).toMatchObject({ strength: "certain", text: expect.stringMatching(/Normalization.*takes 0…255/) });
  });

  it("finds how pictures of another size are fitted, and keeps the default where that makes no difference", async () => {
    const model = await saveModel(path.join(folder, "fit"), colourNetwork(inputOf("bytes rgb")));
    await writeTallPictures(path.join(folder, "tall"), 96);
    const params = { model, dataset: `imageFolder:${folder}/tall`, split: "test", limit: 96, seed: 1, workspace: folder } as const;
    const found = await probeContract(params, { contract: undefined }, createContext());
    expect(found).toMatchObject({ decided: true, best: "bytes rgb (0…255)", contract: { input: { resize: "fill" } } });
    const stated = { input: { ...inputOf("bytes rgb"), resize: "cover" } } as const;
    const covered = await probeContract(
      { ...params, model: await saveModel(path.join(folder, "stated"), colourNetwork(inputOf("bytes rgb")), stated) },
      { contract: undefined },
      createContext(),
    );
    expect(covered.contract?.input.resize).toBe("cover");
  });

  it("finds labels that count from 1, and an output of background before the classes", async () => {
    const one = await probed({ network: colourNetwork(inputOf("bytes rgb"), [...colours, [128, 0, 255]]), label: (c) => c + 1 });
    expect(one).toMatchObject({ labels: "minusOne", decided: true });
    expect(one.findings.map(({ rule }) => rule)).toContain("RB108");
    const background = await probed({ network: colourNetwork(inputOf("bytes rgb"), [[128, 0, 255], ...colours]) });
    expect(background).toMatchObject({ labels: "plusOne", decided: true, contract: { output: { labelOffset: 1 } } });
  });

  it("believes neither where the first layer is certain of one range and the images speak for another", async () => {
    const input = layers.input({ shape: [side, side, 3] });
    // 2x − 1 and back again: the layer says 0…1, the rest of the network is made for bytes
    const scaled = layers.layers.rescaling({ scale: 2, offset: -1 }).apply(input) as tfl.SymbolicTensor;
    const between = layers.layers.activation({ activation: "linear" }).apply(scaled); // else both were read as one line, which says nothing
    const back = layers.layers.rescaling({ scale: 0.5, offset: 0.5 }).apply(between) as tfl.SymbolicTensor;
    const network = layers.model({ inputs: input, outputs: colourNetwork(inputOf("bytes rgb")).apply(back) as tfl.SymbolicTensor });
    const found = await probed({ network });
    expect(found).toMatchObject({ decided: false, contract: null, best: "bytes rgb (0…255)" });
    expect(found.evidence[0]).toMatchObject({ strength: "certain", text: expect.stringContaining("takes 0…1") });
    expect(found.cannotTell).toEqual([expect.stringMatching(/^The file says 0…1 \(.*\), the images say 0…255\.$/)]);
  });

  it("says in one sentence that pictures have no labels, or labels that the model lacks, and what goes by position", async () => {
    const model = await saveModel(path.join(folder, "sentences"), colourNetwork(inputOf("bytes rgb")));
    const named = { input: {}, output: { classes: colours.map((_, c) => `colour ${c}`) } };
    const namedModel = await saveModel(path.join(folder, "named"), colourNetwork(inputOf("bytes rgb")), named);
    const ask = (file: string, data: string) =>
      probeContract(
        { model: file, dataset: `imageFolder:${folder}/${data}`, split: "test", limit: 64, seed: 1, workspace: folder },
        { contract: undefined },
        createContext(),
      );
    await writeTallPictures(path.join(folder, "numbered"), 18);
    await fs.cp(path.join(folder, "numbered/0"), path.join(folder, "loose"), { recursive: true });
    await expect(ask(model, "loose")).rejects.toMatchObject({
      code: "DATASET_EMPTY",
      message: expect.stringMatching(/^The 3 pictures in .* have no labels/),
    });
    await fs.cp(path.join(folder, "numbered/0"), path.join(folder, "words/red"), { recursive: true });
    await fs.cp(path.join(folder, "numbered/1"), path.join(folder, "words/blue"), { recursive: true });
    await expect(ask(namedModel, "words")).rejects.toMatchObject({ code: "LABEL_RANGE", message: expect.stringMatching(/"blue", "red"/) });
    // Two named classes of six without names may be any of them; six of six go by position.
    await expect(ask(model, "words")).rejects.toMatchObject({ code: "LABEL_RANGE", message: expect.stringMatching(/names 2 of the 6/) });
    for (const [c, name] of ["amber", "blue", "cyan", "denim", "ebony", "fawn"].entries())
      await fs.cp(path.join(folder, `numbered/${c}`), path.join(folder, `six/${name}`), { recursive: true });
    expect((await ask(model, "six")).notes).toContainEqual(expect.stringMatching(/labels go by position \(0 = amber, 1 = blue/));
  });

  it("is stopped between two passes", async () => {
    const abort = new AbortController();
    const model = await saveModel(path.join(folder, "stopped"), colourNetwork(inputOf("unit rgb")));
    await writePictures(path.join(folder, "stopped.npz"), 64);
    const params = { model, dataset: `arrays:${folder}/stopped.npz`, split: "test", limit: 64, seed: 1, workspace: folder } as const;
    const steps: number[] = [];
    const running = probeContract(params, { contract: undefined }, createContext({ signal: abort.signal }), ({ done, total }) => {
      steps.push(total);
      if (done === 3) abort.abort();
    });
    await expect(running).rejects.toMatchObject({ code: "CANCELLED", fix: undefined }); // nothing was begun that could be resumed
    expect(steps).toEqual([22, 22, 22]);
  });
});
