import { beforeAll, describe, expect, it } from "vitest";
import { rowProbabilities } from "../../../../src/engine/analyses/sampledMatrices.ts";
import { type ProbabilityData, samplingProbabilities } from "../../../../src/engine/analyses/samplingProbabilities.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { inMemory } from "../../../../src/engine/evaluation/batches.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { planOf } from "../../../../src/engine/session/openModel.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import { convNetwork, linearClassifier } from "../fixtures.ts";
import { analysedAttack, arm, facts, subject, undefended } from "./fixtures.ts";

beforeAll(() => useBackend("cpu"));

const shape = [8, 8, 1] as const;
const fgsm = { id: "fgsm", params: { eps: 0.1 } };
const { params } = bind("analysis", { kind: "samplingProbabilities", images: 2 });
const clean = Float32Array.from({ length: 3 * 64 }, (_, i) => 0.2 + ((i * 7) % 11) / 20);
/** FGSM's noise: ±0.1 everywhere. */
const attacked = clean.map((value, i) => value + (i % 3 === 0 ? 0.1 : -0.1));
const imagesOf = (values: Float32Array) => inMemory({ images: values, labels: new Int32Array(3), n: 3 }, [...shape]);
const network = () => classifierOf(convNetwork({ shape: [...shape] }), { contract: { input: {} }, outputs: "logits" });

async function measured(
  model = network(),
  o: { readonly fate?: string; readonly params?: object; readonly adversarial?: Float32Array } = {},
) {
  const drawn = new Map<string, Float32Array>();
  const data = await samplingProbabilities.measure?.(
    subject({
      model,
      attacks: [analysedAttack({ attack: fgsm, fate: o.fate ?? "rbb" })],
      images: (key) => imagesOf(key === null ? clean : (o.adversarial ?? attacked)),
      draw: async (name, values) => {
        drawn.set(name, values);
        return `images/${name}.png`;
      },
    }),
    { ...params, ...o.params },
    createContext(),
  );
  return { data: data as ProbabilityData, drawn };
}

describe("probabilities of three matrices", () => {
  const values = { rows: 4, clean: Float32Array.of(1, 0, 0, 2, 3, 0, 0, 0), adversarial: Float32Array.of(1, 1, 0, 1, 3, 1, 1, 0) };

  it("agree with a root finder of SciPy, and for the clean rows with the paper's specification", () => {
    const found = rowProbabilities(values, ({ ratio }) => ratio, { ratios: [2, 6] });
    const near = (all: number[]) => all.map((one) => expect.closeTo(one, 5));
    expect(found.map(({ kind, c, p }) => [kind, c, [...p]])).toEqual([
      ["noise", 2, near([0.25, 0.25, 0.25, 0.25])],
      ["clean", 2, near([0.171904, 0.338116, 0.489979, 0])],
      ["adversarial", 2, near([0.219091, 0.15555, 0.469809, 0.15555])],
      ["noise", 6, near([0.25, 0.25, 0.25, 0.25])],
      ["clean", 6, near([0.210195, 0.351412, 0.438393, 0])],
      ["adversarial", 6, near([0.237995, 0.177032, 0.407942, 0.177032])],
    ]);
    expect(found.map(({ active, kept, entropy, spread, distance }) => [active, kept, entropy, spread, distance])).toEqual([
      [4, ...near([0.4375, 1.386294, 1, 0.328096])],
      [3, ...near([0.404012, 1.018881, 2.850302, 0])],
      [4, ...near([0.420722, 1.266438, 3.020303, 0.202737])],
      [4, ...near([0.822021, 1.386294, 1, 0.289805])],
      [3, ...near([0.662864, 1.056867, 2.085648, 0])],
      [4, ...near([0.784955, 1.320451, 2.304347, 0.204831])],
    ]);
  });

  it("are drawn in the clean image's order", () => {
    const [, , adversarial] = rowProbabilities(values, () => 2, { ratios: [1] });
    expect(adversarial?.curve.map(([place]) => place)).toEqual([0, 1, 2, 3]);
    // α of the clean rows 0, 1, 4, 9: rows 3, 0, 1, 2.
    expect(adversarial?.curve.map(([, p]) => p)).toEqual([3, 0, 1, 2].map((row) => adversarial?.p[row]));
  });

  it("are none where every row is 0", () => {
    const same = rowProbabilities({ ...values, adversarial: values.clean }, () => 2, { ratios: [1] });
    const nothing = { active: 0, kept: null, entropy: null, spread: null, distance: null };
    expect(same[0]).toMatchObject({ kind: "noise", ...nothing });
    expect(same[2]).toMatchObject({ kind: "adversarial", active: 3, distance: 0 });
    const dead = { rows: 4, clean: new Float32Array(8), adversarial: new Float32Array(8) };
    for (const one of rowProbabilities(dead, () => 2, { ratios: [1] })) expect(one).toMatchObject(nothing);
    expect(rowProbabilities({ ...values, clean: new Float32Array(8) }, () => 2, { ratios: [1] })[2]?.distance).toBeNull();
  });
});

describe("samplingProbabilities", () => {
  it("looks at the pixels and at every unit of the images that were fooled, and leaves no tensor", async () => {
    const model = network();
    await measured(model);
    const before = tf.memory().numTensors;
    const { data, drawn } = await measured(model);
    expect(tf.memory().numTensors).toBe(before);
    expect(data.images.map(({ index, fooled }) => [index, fooled])).toEqual([
      [1, true],
      [2, true],
    ]);
    const [pixels, unit, ...others] = data.images[0]?.matrices ?? [];
    expect(others).toEqual([]);
    expect([pixels?.layer, pixels?.rows, unit?.rows]).toEqual([null, 64, 64]);
    expect(unit?.layer).toContain("re_lu");
    expect(pixels?.probabilities.map(({ kind, c }) => [kind, c])).toEqual(
      [32, 64, 128].flatMap((c) => ["noise", "clean", "adversarial"].map((kind) => [kind, c])),
    );
    // FGSM changes every pixel alike: its noise is drawn evenly (paper 3, Figure 1), and more draws even out the image.
    const spread = (kind: string) => pixels?.probabilities.filter((one) => one.kind === kind).map((one) => one.spread ?? 0) ?? [];
    for (const one of spread("noise")) expect(one).toBeCloseTo(1, 3);
    expect(spread("clean")).toEqual(spread("clean").toSorted((a, b) => b - a));
    expect(drawn.size).toBe(2 * 2 * 9);
    for (const map of drawn.values()) {
      expect(map).toHaveLength(64);
      expect(Math.max(...map)).toBeLessThanOrEqual(1 + 1e-6);
    }
  });

  it("counts draws by the rows of each unit where it is asked to", async () => {
    const halved = tfl.sequential();
    halved.add(tfl.layers.conv2d({ inputShape: [8, 8, 1], filters: 2, kernelSize: 5, activation: "relu" }));
    halved.add(tfl.layers.flatten());
    halved.add(tfl.layers.dense({ units: 3 }));
    const model = classifierOf(halved, { contract: { input: {} }, outputs: "logits" });
    const { data } = await measured(model, { params: { cMode: "perUnit", ratios: [0.5] } });
    expect(data.images[0]?.matrices.map(({ rows, probabilities }) => [rows, probabilities[0]?.c])).toEqual([
      [64, 32],
      [16, 8],
    ]);
  });

  it("shows a volumized network's rows where their slices lie", async () => {
    const plan = planOf([{ id: "volumizedCurriculum", params: { patch: 4, kernelDepth: 1 } }], shape, 3);
    const made = plan.network(convNetwork({ shape: [...shape] }));
    const { data, drawn } = await measured(classifierOf(made, { contract: { input: {} }, outputs: "logits", plan, inputShape: shape }));
    expect(data.images[0]?.matrices.map(({ rows }) => rows)).toEqual([64, 64]); // 4 slices of 4×4
    for (const map of drawn.values()) expect(map).toHaveLength(64);
    const changed = [...drawn].filter(([name]) => !name.includes("image") && name.includes("clean")).map(([, map]) => Math.max(...map));
    expect(changed).toHaveLength(2 * 3);
    for (const most of changed) expect(most).toBeGreaterThan(0.5);
  });

  it("shows the first image where the attack fools none, and says so", async () => {
    const { data } = await measured(network(), { fate: "rrw", params: { units: "none" } });
    expect(data.images.map(({ index, fooled }) => [index, fooled])).toEqual([[0, false]]);
    const arms = [arm({ name: "a", defense: undefended, data, attacks: [{ attack: fgsm, fate: "rrw" }] })];
    expect(samplingProbabilities.present(arms, params, facts(arms)).notes.join(" ")).toMatch(/fools a on no image/);
  });

  it("is refused where there is nothing to compare, and for ratios or attacks that are not there", async () => {
    const known = { ...facts([], [fgsm]), attacks: [{ ...fgsm, key: "fgsm", iterations: null, minimizes: false }] };
    const check = (change: object) => () => samplingProbabilities.check?.({ ...params, ...change }, known);
    expect(check({})).not.toThrow();
    expect(check({ attack: "fgsm" })).not.toThrow();
    expect(check({ attack: "pgd" })).toThrow(/no attack "pgd"/);
    expect(check({ ratios: [] })).toThrow(/ratios/);
    expect(check({ ratios: [1, 1] })).toThrow(/once/);
    expect(() => samplingProbabilities.check?.(params, { ...known, attacks: [] })).toThrow(/the experiment has none/);
    const random = createRandom(2);
    const rows = Array.from({ length: 3 }, () => Array.from({ length: 64 }, () => random.next()));
    const linear = linearClassifier(rows, [8, 8, 1], [0, 0, 0]);
    await expect(measured(linear)).rejects.toThrow(/does not show its layers|has none/);
    await expect(measured(linear)).rejects.toMatchObject({ fix: expect.stringContaining('"units": "none"') });
    expect((await measured(linear, { params: { units: "none" } })).data.images).toHaveLength(2);
  });

  it("is shown as curves, maps and a table", async () => {
    const { data } = await measured();
    const arms = [arm({ name: "a", defense: undefended, data, attacks: [{ attack: fgsm, fate: "rbb" }] })];
    const { charts, figures, tables, notes } = samplingProbabilities.present(arms, params, facts(arms));
    expect(charts).toHaveLength(4);
    expect(charts[0]?.title).toBe("Probabilities, image 1, pixels");
    expect(charts[0]?.series.map(({ label }) => label).slice(0, 3)).toEqual([
      "noise, c = 32",
      "clean image, c = 32",
      "adversarial image, c = 32",
    ]);
    const [first] = figures ?? [];
    expect(first?.kind === "pictures" && [first.columns, first.rows.map(({ label }) => label)]).toEqual([
      ["c = 32", "c = 64", "c = 128"],
      ["noise", "clean image", "adversarial image"],
    ]);
    expect(tables[0]?.rows).toHaveLength(2 * 2 * 9);
    expect(notes[0]).toContain("FGSM");
  });
});
