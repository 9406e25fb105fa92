import { beforeAll, describe, expect, it } from "vitest";
import { layerAblation } from "../../../../src/engine/analyses/papers/paper4/layerAblation.ts";
import { paperModel } from "../../../../src/engine/analyses/papers/paper4/match.ts";
import { table13 } from "../../../../src/engine/analyses/papers/paper4/printed.ts";
import { subLinearity } from "../../../../src/engine/analyses/papers/paper4/subLinearity.ts";
import { singularValues } from "../../../../src/engine/analyses/singularValues.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createContext } from "../../../../src/engine/context.ts";
import type { AnalysedArm } from "../../../../src/engine/define/analysis.ts";
import { tf, tfl } from "../../../../src/engine/tf.ts";
import { arm, facts, subject, undefended } from "./fixtures.ts";

beforeAll(() => useBackend("cpu"));
const ctx = createContext();
const near = (value: number) => expect.closeTo(value, 5);

describe("singularValues", () => {
  /** A convolution [1,3,1,2] whose matrix is [[1,2],[3,4],[5,6]], one of a filter a channel, and a dense layer that only scales. */
  function model() {
    const image = tfl.input({ shape: [1, 3, 1] });
    const layers = [
      tfl.layers.conv2d({ name: "conv1", filters: 2, kernelSize: [1, 3], useBias: false }),
      tfl.layers.depthwiseConv2d({ name: "each", kernelSize: 1, useBias: false }),
      tfl.layers.flatten({ name: "flat" }),
      tfl.layers.dense({ name: "scores", units: 2, useBias: false }),
    ];
    const network = tfl.model({ inputs: image, outputs: layers.reduce((x, layer) => layer.apply(x) as tfl.SymbolicTensor, image) });
    network.setWeights([tf.tensor4d([1, 2, 3, 4, 5, 6], [1, 3, 1, 2]), tf.ones([1, 1, 2, 1]), tf.tensor2d([2, 0, 0, 1], [2, 2])]);
    return classifierOf(network, { contract: { input: {} }, outputs: "logits" });
  }
  const params = { layers: "", values: 50, side: 1024 };
  const measure = (o: object = {}) => singularValues.measure?.(subject({ model: model() }), { ...params, ...o }, ctx);
  const shown = async (names: readonly string[], o: object = {}) => {
    const arms: AnalysedArm[] = [];
    for (const name of names) arms.push(arm({ name, defense: undefended, data: JSON.parse(JSON.stringify(await measure(o))) }));
    return singularValues.present(arms, params, facts(arms));
  };

  it("has a line for each kernel, with the values by hand, and says what it leaves out", async () => {
    const { charts, tables, notes } = await shown(["a"]);
    expect(charts.map(({ series }) => series.map(({ label, points }) => [label, points]))).toEqual([
      [
        ["conv1", [9.525518, 0.514301].map((y, i) => ({ x: i + 1, y: near(y) }))],
        ["scores", [2, 1].map((y, i) => ({ x: i + 1, y: near(y) }))],
      ],
    ]);
    expect(tables[0]?.rows[0]).toEqual([
      "a",
      "conv1",
      3,
      2,
      2,
      near(9.525518),
      near(0.514301),
      near(91 / 9.525518 ** 2),
      near(Math.sqrt(91)),
    ]);
    expect(notes.join(" ")).toContain("without each, whose kernel has a filter for each channel");
  });

  it("has a chart for each layer where there are several arms, and takes chosen layers and sizes", async () => {
    const { charts } = await shown(["a", "b"], { layers: "scores" });
    expect(charts.map(({ title, series }) => [title, series.map(({ label }) => label)])).toEqual([
      ["Singular values of scores", ["a", "b"]],
    ]);
    const small = await shown(["a"], { side: 1 });
    expect(small.charts).toEqual([]);
    expect(small.notes.join(" ")).toContain("without conv1, which is 3×2");
    await expect(measure({ layers: "conv9" })).rejects.toMatchObject({ code: "PARAMETER_INVALID", fix: "It has conv1, each, scores." });
  });
});

describe("layerAblation", () => {
  const compact = (layers: string) => ({ id: "compactConvolution", params: { layers, alpha: 0, delta: 0.01 } });
  const fgsm = { id: "fgsm", params: { eps: 0.3 } };
  const arms = [
    arm({ name: "plain", defense: undefended, attacks: [{ attack: fgsm, fate: "bbbr" }] }),
    arm({ name: "one", defense: compact("conv2"), attacks: [{ attack: fgsm, fate: "bbrr" }] }),
    arm({ name: "soft", defense: { id: "l2Softmax", params: {} }, attacks: [{ attack: fgsm, fate: "brrr" }] }),
    arm({ name: "whole", defense: compact(""), attacks: [{ attack: fgsm, fate: "rrrr" }] }),
    arm({ name: "other", defense: { id: "labelSmoothing", params: {} }, attacks: [{ attack: fgsm, fate: "rrrr" }] }),
  ];

  it("has a row for each arm with one compact layer, none or all, and the paper's figures where the network is the paper's", () => {
    const onCifar = layerAblation.present(arms, {}, facts(arms));
    expect(onCifar.tables[0]?.columns.map(({ name }) => name).filter((name) => name.startsWith("paper"))).toEqual([]);
    const its = arms.map((one) => ({ ...one, report: { ...one.report, model: { id: "papernot", params: {} } } }));
    const { tables } = layerAblation.present(its, {}, { ...facts(its), dataset: "mnist" });
    expect(tables[0]?.rows).toEqual([
      ["plain", "none", 1, 0.25, near(0.995), near(0.3176)],
      ["one", "conv2", 1, 0.5, near(0.9951), near(0.4234)],
      ["soft", "fc3", 1, 0.75, near(0.9948), near(0.6032)],
      ["whole", "all", 1, 1, null, null],
    ]);
    expect(Object.keys(table13)).toHaveLength(8);
    expect(its.map(({ report }) => paperModel(report)?.model ?? null)).toEqual(["SM", null, "L2SM", "CCN", "LS"]);
  });

  it("asks for an arm with one compact layer", () => {
    expect(() => layerAblation.check?.({}, facts(arms))).not.toThrow();
    expect(() => layerAblation.check?.({}, facts([arms[0], arms[3]] as AnalysedArm[]))).toThrow("needs arms with one compact layer");
  });
});

describe("subLinearity", () => {
  it("has the numbers of the specification: 10 and 1000 for a plain layer, .99504 and 9.95037 for a compact one", async () => {
    const params = { eps: 0.1, inputs: [100, 10_000] };
    const before = tf.memory().numTensors;
    const data = await subLinearity.measure?.(subject({}), params, ctx);
    expect(tf.memory().numTensors).toBe(before);
    const { tables } = subLinearity.present([arm({ name: "any", defense: undefended, data })], params, facts([]));
    expect(tables[0]?.rows).toEqual([
      [100, expect.closeTo(10, 4), expect.closeTo(0.99504, 4), 1, 1, 1],
      [10_000, expect.closeTo(1000, 1), expect.closeTo(9.95037, 3), 100, expect.closeTo(100, 3), expect.closeTo(10, 3)],
    ]);
  });
});
