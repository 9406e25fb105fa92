import { beforeAll, describe, expect, it } from "vitest";
import { certificateOf, sliceCertificate } from "../../../../src/engine/analyses/sliceCertificate.ts";
import { pgd } from "../../../../src/engine/attacks/pgd.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { defended } from "../../../../src/engine/classifier/defended.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createContext } from "../../../../src/engine/context.ts";
import type { AnalysedAttack, AnalysisSubject } from "../../../../src/engine/define/analysis.ts";
import { inMemory } from "../../../../src/engine/evaluation/batches.ts";
import { classify, predict } from "../../../../src/engine/harness/predict.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { planOf } from "../../../../src/engine/session/openModel.ts";
import { tf } from "../../../../src/engine/tf.ts";
import type { ArmCertificate } from "../../../../src/shared/certificate.ts";
import { convNetwork } from "../fixtures.ts";
import { analysedAttack, arm, facts, subject, undefended, volumized } from "./fixtures.ts";

beforeAll(() => useBackend("cpu"));

const inputShape = [8, 8, 1] as const;
const [n, pixels] = [12, 64];
const ctx = createContext();
const wanted = { slices: [1, 2], patches: [1, 5], attack: "", images: 0 };

/** A volumized network whose slices are sure of themselves: random weights, eight times as large. */
function model(params: Record<string, unknown> = {}, contract = {}): Classifier {
  const plan = planOf([{ id: "volumizedCurriculum", params: { patch: 4, kernelDepth: 1, ...params } }], inputShape, 3);
  const network = plan.network(convNetwork());
  network.setWeights(network.getWeights().map((w) => w.mul(8)));
  return classifierOf(network, { contract: { input: {}, ...contract }, outputs: "logits", plan, inputShape });
}
const images = createRandom(3).uniforms(n * pixels);

interface Asked {
  readonly attacked?: Float32Array;
  readonly attack?: AnalysedAttack;
}
async function asked(of: Classifier, { attacked, attack }: Asked = {}): Promise<AnalysisSubject> {
  const { predictions, probabilities } = await classify(of, images);
  const clean = { images, labels: predictions, n };
  return subject({
    model: of,
    further: attack ? [attack] : [],
    images: (key) => inMemory(key === null || !attacked ? clean : { ...clean, images: attacked }, inputShape),
    scores: async () => ({ probabilities, labels: predictions, classes: 3 }),
  });
}
const measured = async (of: Classifier, more: Asked = {}): Promise<ArmCertificate> =>
  certificateOf(await sliceCertificate.measure?.(await asked(of, more), wanted, ctx)).certificate;
function provenImages(certificate: ArmCertificate): readonly number[] {
  if (!("images" in certificate)) throw new Error(certificate.unavailable);
  return certificate.images;
}

/** The images with other content in slice `slice` of raster order, 2×2 slices of 4×4. */
function changedIn(slice: number, seed: number): Float32Array {
  const rng = createRandom(seed);
  return images.map((value, i) => {
    const [y, x] = [Math.floor((i % pixels) / 8), i % 8];
    return 2 * Math.floor(y / 4) + Math.floor(x / 4) === slice ? Math.round(rng.uniform(-0.4, 1.4)) : value;
  });
}

describe("what is proven of a network over slices", () => {
  it.each([{}, { aggregate: "vote" }, { aggregate: "vote", measure: "maxNorm", order: "desc" }])(
    "no content of a slice changes: %j, with the order as it comes out for every content",
    async (params) => {
      const of = model(params);
      const proven = provenImages(await measured(of));
      expect(proven.filter((K) => K > 0).length).toBeGreaterThan(0);
      const clean = await predict(of, images);
      for (let trial = 0; trial < 40; trial++) {
        const now = await predict(of, changedIn(trial % 4, trial));
        proven.forEach((K, i) => {
          if (K > 0) expect(now[i], `image ${i}`).toBe(clean[i]);
        });
      }
    },
  );

  it("proves less of slices that overlap: the pixels of the one in the middle are in all nine", async () => {
    const of = model({ stride: 2 });
    const certificate = await measured(of);
    expect(provenImages(certificate)).toEqual(Array.from({ length: n }, () => 0));
    expect(certificate).toMatchObject({ patches: [{ side: 1, touches: 4 }, { side: 5 }] });
  });

  it("counts the right and certified images, and what a patch reaches", async () => {
    const certificate = await measured(model());
    const proven = provenImages(certificate);
    const atLeast = (K: number): number => proven.filter((own) => own >= K).length;
    expect(certificate).toMatchObject({
      n,
      slices: [1, 2].map((K) => ({ slices: K, correct: atLeast(K) })),
      // One pixel touches one slice: as many as with K = 1. Five pixels a side touch all four at worst: none.
      patches: [
        { side: 1, touches: 1, correct: atLeast(1) },
        { side: 5, touches: 4, correct: 0 },
      ],
    });
  });

  it.each([
    [{ kernelDepth: 2 }, {}, "one slice reaches 2 of 4"],
    [{ kernelDepth: 0 }, {}, "one slice reaches 4 of 4"],
    [{ aggregate: "sumLog" }, {}, "with aggregate sumLog a single slice can outvote all others"],
    [{}, { output: { labelOffset: 1 } }, "the slices share their probabilities with outputs that are not classes"],
  ])("is nothing for %j %j", async (params, contract, unavailable) => {
    expect(await measured(model(params, contract))).toEqual({ unavailable });
  });

  it("is nothing for a network that sees the whole image, nor behind a defence in front", async () => {
    const flat = classifierOf(convNetwork(), { contract: { input: {} }, outputs: "logits" });
    expect(await measured(flat)).toEqual({ unavailable: "the network judges the image as a whole" });
    const median = bind("defense", { kind: "medianFilter", window: 3 }) as never;
    const behind = defended(model(), [median], { random: () => createRandom(1) });
    expect(await measured(behind)).toEqual({ unavailable: "Median filter in front may carry content from slice to slice" });
  });

  it("is nothing where slices say that they are independent and are not", async () => {
    const honest = model({ kernelDepth: 3 });
    const { slices } = honest;
    if (!slices) throw new Error("no slices");
    expect(await measured({ ...honest, slices: { ...slices, reach: 1 } })).toEqual({
      unavailable: "other content of one slice changed the scores of others",
    });
  });

  it("stops the run at an image that is certified and fooled", async () => {
    const honest = model();
    const { slices } = honest;
    if (!slices) throw new Error("no slices");
    const attacked = changedIn(2, 7);
    const clean = await predict(honest, images);
    const now = await predict(honest, attacked);
    const fooled = clean.findIndex((prediction, i) => prediction !== now[i]);
    expect(fooled).toBeGreaterThanOrEqual(0);
    const attack = {
      ...analysedAttack({ attack: { id: "pgd", params: {} }, fate: "r".repeat(n) }),
      records: analysedAttack({ attack: { id: "pgd", params: {} }, fate: "r".repeat(n) }).records.map((record, i) => ({
        ...record,
        cleanPrediction: clean[i] as number,
        prediction: now[i] as number,
      })),
    };
    await expect(measured(honest, { attacked, attack })).resolves.toHaveProperty("images");
    // Every slice is made out to be quite sure of the class that the model decides for: what it proves is then wrong.
    const lying = {
      ...slices,
      logits: () => tf.oneHot(tf.tensor1d(clean, "int32"), 3).mul(50).expandDims(1).tile([1, 4, 1]) as tf.Tensor3D,
    };
    await expect(measured({ ...honest, slices: lying }, { attacked, attack })).rejects.toThrow(
      new RegExp(`certificate is wrong: the class of image ${fooled} was proven .* any content of the 1 slices that pgd changed`),
    );
  });
});

describe("the analysis", () => {
  const params = { slices: [1, 2, 4], patches: [1], attack: "lavan", images: 0 };
  it.each([
    [{ slices: [1, 1] }, /each value once/],
    [{ slices: [] }, /at least one/],
    [{ patches: [5, 5] }, /patches must hold/],
  ])("refuses %j", (change, message) => {
    expect(() => sliceCertificate.check?.({ ...params, ...change }, facts([]))).toThrow(message);
  });

  it("refuses more slices than any network has, before anything is trained", () => {
    const cut = { ...model().slices } as never;
    const check = (slices: number[]) =>
      sliceCertificate.checkNetworks?.(
        { ...params, slices, attack: "" },
        [
          { arm: "local", slices: cut },
          { arm: "flat", slices: null },
        ],
        facts([]),
      );
    expect(() => check([1, 4])).not.toThrow();
    expect(() => check([1, 5])).toThrow(
      expect.objectContaining({ code: "PARAMETER_INVALID", message: expect.stringContaining("more than 4 slices") }),
    );
  });

  it.each([
    ["side by side, one a multiple of the other", [{ patch: 7 }, { patch: 14 }], 7],
    ["of 12 and 8, whose cells of 4 lie inside both", [{ patch: 12 }, { patch: 8 }], 4],
    ["that overlap: those of 7 every 3 begin at 0, 3, 6, 9, 12 …, and so do cells of 6", [{ patch: 7, stride: 3 }], 6],
    ["that overlap in steps that divide their side", [{ patch: 8, stride: 2 }], 8],
  ])("puts its own attack inside one slice of every arm: slices %s", (_, cuts, grid) => {
    const arms = cuts.map((cut, i) => arm({ name: `${i}`, defense: volumized(cut) }));
    const known = { ...facts(arms), attackParams: () => pgd.params };
    expect(sliceCertificate.attacks?.(params, known)).toMatchObject([{ params: { place: "slice", grid } }]);
    const networks = cuts.map(({ patch, stride = patch }: { patch: number; stride?: number }, i) => ({
      arm: `${i}`,
      slices: { ...model().slices, count: 4, side: [patch, patch], stride: [stride, stride] } as never,
    }));
    expect(() => sliceCertificate.checkNetworks?.(params, networks, known)).not.toThrow();
  });

  it("refuses slices of sides that no cell of any use divides, unless the experiment brings the attack", () => {
    const sides = [7, 4];
    const arms = sides.map((patch) => arm({ name: `${patch} px`, defense: volumized({ patch }) }));
    const networks = sides.map((side) => ({
      arm: `${side} px`,
      slices: { ...model().slices, count: 4, side: [side, side], stride: [side, side] } as never,
    }));
    const known = { ...facts(arms), attackParams: () => pgd.params };
    expect(() => sliceCertificate.checkNetworks?.(params, networks, known)).toThrow(
      expect.objectContaining({
        code: "PARAMETER_INVALID",
        message: expect.stringContaining("cells of 4×4 pixels does not lie inside one slice of 7 px, whose slices are 7×7"),
      }),
    );
    const own = { ...facts(arms, [{ id: "lavan", params: { place: "slice", grid: 4 } }]) };
    for (const [given, of] of [
      [params, own],
      [{ ...params, attack: "" }, known],
    ] as const)
      expect(() => sliceCertificate.checkNetworks?.(given, networks, of)).not.toThrow();
  });

  it("asks for an attack of the experiment, or for none", () => {
    const own = facts([], [{ id: "pgd", params: { eps: 0.1 } }]);
    expect(sliceCertificate.attacks?.({ ...params, attack: "pgd" }, own)).toEqual([
      { id: "pgd", params: { eps: 0.1 }, key: "pgd", images: 0 },
    ]);
    expect(sliceCertificate.attacks?.({ ...params, attack: "pgd", images: 8 }, own)).toMatchObject([{ key: "pgd-first-8", images: 8 }]);
    expect(sliceCertificate.attacks?.({ ...params, attack: "" }, own)).toEqual([]);
    const arms = [7, 14].map((patch) => arm({ name: `${patch}`, defense: volumized({ patch }) }));
    expect(sliceCertificate.attacks?.(params, { ...facts(arms), attackParams: () => pgd.params })).toEqual([
      { id: "lavan", params: { place: "slice", grid: 7 }, key: "lavan-slice", images: 0 },
    ]);
    expect(() => sliceCertificate.attacks?.({ ...params, attack: "lavann" }, own)).toThrow(expect.objectContaining({ code: "UNKNOWN_ID" }));
  });

  it("shows shares with their meaning, and says of every arm without a certificate why", () => {
    const certificate: ArmCertificate = {
      n: 8,
      slices: [
        { slices: 1, correct: 4 },
        { slices: 2, correct: 1 },
        { slices: 4, correct: null },
      ],
      patches: [{ side: 1, touches: 1, correct: 4 }],
      images: [1, 1, 1, 2, 0, 0, 0, 0],
    };
    const local = arm({ name: "local", defense: volumized(), data: { certificate, tried: { correct: 5, n: 8, label: "PGD 0.1" } } });
    const flat = arm({
      name: "flat",
      defense: undefended,
      data: { certificate: { unavailable: "it is flat" }, tried: { correct: 0, n: 8 } },
    });
    const shown = sliceCertificate.present([local, flat], { ...params, attack: "pgd" }, facts([local, flat], []));
    expect(shown.tables[0]?.columns.map(({ name }) => name)).toEqual([
      "arm",
      "images",
      "certified, 1 slice",
      "certified, 2 slices",
      "certified, 4 slices",
      "certified, 1×1 px anywhere",
      "accuracy under PGD 0.1", // with its settings: whether it stays inside a slice is one of them
    ]);
    expect(shown.tables[0]?.rows).toEqual([
      ["local", 8, 0.5, 0.125, null, 0.5, 0.625],
      ["flat", null, null, null, null, null, 0],
    ]);
    expect(shown.charts[0]?.series.map(({ label, points }) => [label, points.map(({ x, y }) => [x, y])])).toEqual([
      [
        "local",
        [
          [1, 0.5],
          [2, 0.125],
        ],
      ],
    ]);
    expect(shown.notes.slice(-2)).toEqual(["local: a 1×1 patch touches up to 1 of its slices.", "flat: no certificate: it is flat."]);
    expect(sliceCertificate.ledger?.(local.data)).toEqual({ certifiedSlices: certificate.images });
    expect(sliceCertificate.ledger?.(flat.data)).toEqual({});
  });
});
