import { beforeAll, describe, expect, it } from "vitest";
import type { StudyData } from "../../../../src/engine/analyses/attentionOverlap.ts";
import { attentionStudy } from "../../../../src/engine/analyses/attentionStudy.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { createContext } from "../../../../src/engine/context.ts";
import type { AnalysedAttack, AnalysisSubject } from "../../../../src/engine/define/analysis.ts";
import { type Box, documented, type Explanations } from "../../../../src/engine/define/index.ts";
import { inMemory } from "../../../../src/engine/evaluation/batches.ts";
import { explainImages } from "../../../../src/engine/evaluation/explain.ts";
import { classify } from "../../../../src/engine/harness/predict.ts";
import type { NpyArray } from "../../../../src/engine/io/npz.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { planOf } from "../../../../src/engine/session/openModel.ts";
import { tf } from "../../../../src/engine/tf.ts";
import { convNetwork } from "../fixtures.ts";
import { analysedAttack, arm, facts, measuredInShards, subject, undefended } from "./fixtures.ts";

beforeAll(() => useBackend("cpu"));

const ctx = createContext();
const { params: bound } = bind("analysis", { kind: "attentionStudy" });
const pgd = (fate: string): AnalysedAttack => analysedAttack({ attack: { id: "pgd", params: { eps: 0.1 } }, fate });

/** Maps by hand, of 2×4 pixels and as many cells: k of the paper's 64 is k/8 of eight. */
interface ByHand {
  readonly clean: readonly (readonly number[])[];
  readonly attacked: readonly (readonly number[])[];
  readonly boxes?: readonly (readonly Box[])[];
  readonly scores?: readonly number[];
  readonly fate: string;
}
const shape = [2, 4, 1] as const;

async function byHand({ clean, attacked, boxes = [], scores = [], fate }: ByHand, cells: readonly number[]) {
  const n = clean.length;
  const saved = new Map<string, Readonly<Record<string, NpyArray>>>();
  const explained = (maps: typeof clean, [start, end]: readonly [number, number]): Explanations => {
    const own = maps.slice(start, end).map((map) => Float32Array.from(map));
    return {
      layer: "conv",
      predictions: own.map(() => 0),
      scores: Float32Array.from(own.flatMap((_, i) => [scores[start + i] ?? 0.5, 0.5])),
      degenerate: own.map((map) => map.every((value) => value === 0)),
      map: (i) => own[i] as Float32Array,
      grid: (i) => ({ shape: [2, 4], values: own[i] as Float32Array }),
      area: () => new Float32Array(8),
      share: () => 0,
      superpixels: () => null,
      overlap: () => null,
    };
  };
  const images = (first: number) => inMemory({ images: new Float32Array(n * 8).fill(first), labels: new Int32Array(n), n }, [...shape]);
  const asked: AnalysisSubject = subject({
    model: { inputShape: shape, classes: 2, batchSizes: { forward: 3, gradient: 3 } } as unknown as Classifier,
    attacks: [pgd(fate)],
    images: (key) => images(key === null ? 0 : 1),
    boxes: (index) => boxes[index] ?? [],
    scores: async () => ({ probabilities: new Float32Array(2 * n), labels: new Int32Array(n), classes: 2 }),
    explain: async (_, of, range) => {
      const [first] = (await of.read(0, 1)).images;
      return explained(first === 0 ? clean : attacked, range ?? [0, n]);
    },
    async save(stem, key, arrays) {
      saved.set(`${stem}-${key}`, arrays);
      return `${stem}-${key}.npz`;
    },
  });
  const data = (await measuredInShards(attentionStudy, asked, { ...bound, cells }, { n, size: 2 })) as StudyData;
  return { data, arrays: saved.get("attention-study-pgd") as Readonly<Record<string, NpyArray>> };
}

const first = [8, 7, 6, 5, 4, 3, 2, 1];
const last = [...first].reverse();
const zero = first.map(() => 0);
const right = (xmin: number): Box => ({ label: "", xmin, xmax: 4, ymin: 0, ymax: 2 });

describe("attention before and after an attack", () => {
  it("splits the images that were right by what became of them, each area on its own map", async () => {
    const attacked = [last, first, [8, 7, 1, 2, 3, 4, 5, 6], first];
    const { data } = await byHand({ clean: [first, first, first, first], attacked, fate: "brbw" }, [8, 32]);
    expect(data).toMatchObject({ layer: "conv", grid: [2, 4], isAveraged: false, cells: [1, 4] });
    const [study] = data.attacks;
    expect(study).toMatchObject({ succeeded: 2, failed: 1, object: null, degenerate: { clean: [], adversarial: [] } });
    // One cell: 0 and 1 where it succeeded; four of eight: 0 and 2/6.
    expect(study?.deviation.map(({ succeeded, failed }) => [succeeded?.mean, failed?.mean])).toEqual([
      [0.5, 1],
      [expect.closeTo(1 / 6, 12), 1],
    ]);
    expect(study?.deviation[1]?.succeeded).toMatchObject({ n: 2, box: { median: expect.closeTo(1 / 6, 12) } });
    expect(study?.overlap).toEqual([0, 100, 100, 100]); // the number of cells in the middle: of two, the first
    expect(data.random[1]).toBeCloseTo((2 * 0 + 16 / 7 + 36 / 3 + (16 * 3) / 5 + 1) / 70, 12); // C(4,j)² of C(8,4) = 70 ways, IoU j/(8−j)
    expect(attentionStudy.ledger?.(data)).toEqual({ "pgd/attentionIoU": [0, 100, 100, 100] });
  });

  it("counts images without attention and leaves them out, and says where ties at zero fill an area", async () => {
    const clean = [zero, first, first, first, zero];
    const attacked = [first, zero, [8, 7, 0, 0, 0, 0, 0, 0], first, zero];
    const { data, arrays } = await byHand({ clean, attacked, fate: "bbbrr" }, [32]);
    const [study] = data.attacks;
    expect(study).toMatchObject({ succeeded: 3, failed: 2, degenerate: { clean: [0, 4], adversarial: [1, 4] } });
    expect(study?.deviation).toMatchObject([{ succeeded: { n: 1, mean: 1, half: null }, failed: { n: 1 }, sparse: 1 }]);
    expect(study?.overlap).toEqual([-1, -1, 100, 100, -1]);
    expect(arrays["iou"]).toEqual({ data: Float64Array.of(1, 1), shape: [2, 1] });
    expect(arrays["success"]).toEqual({ data: Uint8Array.of(1, 0), shape: [2] });
    expect(JSON.stringify(data)).not.toContain("null,null");
  });

  it("writes the maps, the cells and every IoU", async () => {
    // broken, held, without a map, and wrong before the attack, which succeeds on nothing there
    const { arrays } = await byHand({ clean: [first, last, zero, last], attacked: [last, last, last, last], fate: "brrw" }, [8, 32]);
    expect(Object.keys(arrays)).toEqual(["clean", "adversarial", "cells", "iou", "success", "counted", "index"]);
    expect(arrays["clean"]).toEqual({ data: Float32Array.from([...first, ...last, ...last]), shape: [3, 2, 4] });
    expect(arrays["adversarial"]).toEqual({ data: Float32Array.from([...last, ...last, ...last]), shape: [3, 2, 4] });
    expect(arrays["cells"]).toEqual({ data: Int32Array.of(1, 4), shape: [2] });
    expect(arrays["iou"]).toEqual({ data: Float64Array.of(0, 0, 1, 1, 1, 1), shape: [3, 2] });
    expect(arrays["success"]).toEqual({ data: Uint8Array.of(1, 0, 0), shape: [3] });
    expect(arrays["counted"]).toEqual({ data: Uint8Array.of(1, 1, 0), shape: [3] });
    expect(arrays["index"]).toEqual({ data: Int32Array.of(0, 1, 3), shape: [3] });
  });

  it("holds attention on the clean image against the boxes, with an area of their size", async () => {
    const clean = [first, [1, 2, 3, 4, 5, 6, 7, 8], [0, 0, 3, 4, 0, 0, 7, 8], first, zero, first];
    const boxes = [[right(2)], [right(2)], [right(2)], [right(9)], [right(2)], [right(3), right(2)]];
    const scores = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4];
    const { data } = await byHand({ clean, attacked: clean.map(() => first), boxes, scores, fate: "bbrrrb" }, [8]);
    const object = data.attacks[0]?.object;
    // Four pixels, two of which are the box's in the upper row alone: 2 of 6. Image 3 has no box inside, image 4 no attention.
    expect(object?.withoutBox).toBe(1);
    expect(object?.overlap.succeeded).toMatchObject({ n: 3, mean: expect.closeTo(1 / 3, 12) });
    expect(object?.overlap.failed).toMatchObject({ n: 1, mean: 1 });
    expect(object?.confidenceBelowHalf.succeeded).toMatchObject({ n: 3, mean: expect.closeTo(0.7, 6) });
    expect(object?.confidenceBelowHalf.failed).toBeNull();
    expect(object?.outside).toEqual({ boxes: 1, images: 1 });
  });

  it("counts boxes outside the picture and says so, also where there are no others", async () => {
    const beyond: Box = { label: "", xmin: 5, xmax: 9, ymin: 0, ymax: 2 };
    const above: Box = { label: "", xmin: 0, xmax: 4, ymin: -3, ymax: 0.4 }; // holds no middle of a pixel
    const boxes = [[beyond, above], [right(2), beyond], []];
    const found = async (own: readonly (readonly Box[])[]) =>
      (await byHand({ clean: [first, first, first], attacked: [last, first, first], boxes: own, fate: "brr" }, [8])).data;
    const data = await found(boxes);
    expect(data.attacks[0]?.object).toMatchObject({
      withoutBox: 2,
      outside: { boxes: 3, images: 2 },
      overlap: { succeeded: null, failed: { n: 1 } },
    });
    const none = (await found([[beyond], [], []])).attacks[0]?.object;
    expect(none).toMatchObject({ withoutBox: 3, outside: { boxes: 1, images: 1 }, overlap: { succeeded: null, failed: null } });
    expect((await found([[], [], []])).attacks[0]?.object).toBeNull();
    const { notes } = attentionStudy.present([arm({ name: "one", defense: undefended, data })], bound, facts([]));
    expect(notes.join(" ")).toMatch(
      /3 boxes of 2 images outside the picture as the model sees it \(cropped away, or annotated so\), passed over\./,
    );
  });
});

describe("attention of networks", () => {
  const inputShape = [8, 8, 1] as const;
  const n = 6;
  const images = createRandom(5).uniforms(n * 64);
  const attacked = images.map((value, i) => Math.min(1, Math.max(0, value + (i % 3 === 0 ? 0.4 : -0.3))));

  async function measured(model: Classifier) {
    const { predictions, probabilities } = await classify(model, images);
    const clean = { images, labels: predictions, n };
    let arrays: Readonly<Record<string, NpyArray>> = {};
    const asked = subject({
      model,
      attacks: [pgd("b".repeat(n))],
      images: (key) => inMemory(key === null ? clean : { ...clean, images: attacked }, inputShape),
      scores: async () => ({ probabilities, labels: predictions, classes: 3 }),
      boxes: () => [],
      explain: async (bound, of, [start, end] = [0, n]) =>
        explainImages(model, (await of.read(start, end)).images, documented(bound), ctx, { first: start }),
      async save(_, key, given) {
        arrays = given;
        return key;
      },
    });
    const before = tf.memory().numTensors;
    const data = (await measuredInShards(attentionStudy, asked, { ...bound, cells: [5, 20] }, { n, size: 4 })) as StudyData;
    expect(tf.memory().numTensors).toBe(before);
    return { data, arrays };
  }

  it("reads the layer's grid, and the areas are those of its largest cells", async () => {
    const model = classifierOf(convNetwork(), { contract: { input: {} }, outputs: "logits" });
    const { data, arrays } = await measured(model);
    expect(data).toMatchObject({ grid: [4, 4], isAveraged: false, cells: [1, 5] });
    const maps = arrays["clean"]?.data as Float32Array;
    const others = arrays["adversarial"]?.data as Float32Array;
    const alone = await explainImages(model, images.slice(0, 64), { id: "gradCam", params: {} }, ctx);
    expect([...maps.slice(0, 16)]).toEqual([...(alone.grid(0)?.values ?? [])]);
    const top = (map: Float32Array) => [...map.keys()].sort((a, b) => (map[b] as number) - (map[a] as number) || a - b).slice(0, 5);
    const expected = Array.from({ length: maps.length / 16 }, (_, i) => {
      const [a, b] = [top(maps.slice(16 * i, 16 * i + 16)), top(others.slice(16 * i, 16 * i + 16))];
      const both = a.filter((cell) => b.includes(cell)).length;
      return both / (10 - both);
    });
    expect([...(arrays["iou"]?.data ?? [])].filter((_, i) => i % 2 === 1)).toEqual(expected);
    expect(new Set(expected).size).toBeGreaterThan(1);
    model.dispose();
  });

  it("averages the picture's map of a volumized network, whose slices lie in another order in every image", async () => {
    const plan = planOf([{ id: "volumizedCurriculum", params: { patch: 4, kernelDepth: 1 } }], inputShape, 3);
    const model = classifierOf(plan.network(convNetwork()), { contract: { input: {} }, outputs: "logits", plan, inputShape });
    const { data, arrays } = await measured(model);
    expect(data).toMatchObject({ grid: [8, 8], isAveraged: true, cells: [5, 20] });
    const { clean = [], adversarial = [] } = data.attacks[0]?.degenerate ?? {};
    const kept = Array.from({ length: n }, (_, i) => i).filter((i) => !clean.includes(i) && !adversarial.includes(i));
    expect(arrays["clean"]?.shape).toEqual([kept.length, 8, 8]);
    const first = kept[0] as number; // an image with attention before and after
    const alone = await explainImages(model, images.slice(64 * first, 64 * first + 64), { id: "gradCam", params: {} }, ctx);
    expect(alone.grid(0)?.shape).toEqual([4, 2, 2]);
    expect([...(arrays["clean"]?.data ?? [])].slice(0, 64)).toEqual([...alone.map(0)]);
    const shown = attentionStudy.present([arm({ name: "slices", defense: undefended, data })], { ...bound, cells: [5, 20] }, facts([]));
    expect(shown.notes.join(" ")).toContain("slices: no layer has a grid of the whole picture");
    model.dispose();
  });
});

describe("what is asked and what is shown", () => {
  it("refuses an experiment without an attack, and cells that are named twice or not at all", () => {
    const attacks = [{ id: "fgsm", params: {} }];
    const check =
      (cells: number[], given = attacks) =>
      () =>
        attentionStudy.check?.({ ...bound, cells }, facts([], given));
    expect(check([5], [])).toThrow(expect.objectContaining({ code: "EXPERIMENT_INVALID", fix: expect.stringContaining("fgsm") }));
    for (const cells of [[], [5, 5]]) expect(check(cells)).toThrow(expect.objectContaining({ code: "PARAMETER_INVALID" }));
    expect(check([5, 10])).not.toThrow();
    expect(() => bind("analysis", { kind: "attentionStudy", cells: [65] })).toThrow(expect.objectContaining({ code: "PARAMETER_INVALID" }));
  });

  const shownOf = (data: StudyData, fate: string, names: readonly string[]) => {
    const attacks = [{ attack: { id: "pgd", params: { eps: 0.1 } }, fate }];
    const arms = names.map((name) => arm({ name, defense: undefended, attacks, data }));
    return attentionStudy.present(arms, { ...bound, cells: [8, 32] }, facts(arms));
  };

  it("tables give means with intervals, their difference, and random cells beside them", async () => {
    const attacked = [last, first, last, first, first];
    const { data } = await byHand({ clean: attacked.map(() => first), attacked, fate: "bbbrr" }, [8, 32]);
    const { tables, figures } = shownOf(data, "bbbrr", ["one"]);
    expect(tables).toHaveLength(1);
    // 0, 1, 0: mean ⅓, standard deviation √⅓, 1.96·√(⅓/3) = .6533
    expect(tables[0]?.rows[0]).toEqual([
      "one",
      "PGD, ε 0.1",
      "1 of 2×4 (8 of 8×8)",
      "0.333 ± 0.653",
      "1.000 ± 0.000",
      "−0.667 ± 0.653",
      5,
      0.6,
      expect.closeTo(0.125, 12),
    ]);
    expect(figures?.map((figure) => figure.kind === "box" && figure.boxes.map(({ label, n }) => `${label}: ${n}`))).toEqual([
      ["1 cells, succeeded: 3", "1 cells, failed: 2", "4 cells, succeeded: 3", "4 cells, failed: 2"],
    ]);
  });

  it("adds what attention has to do with the object where there are boxes, and what was left out", async () => {
    const clean = [first, [1, 2, 3, 4, 5, 6, 7, 8], zero, first];
    const boxes = [[right(2)], [right(2)], [right(2)], []];
    const { data } = await byHand({ clean, attacked: clean, boxes, scores: [0.9, 0.8], fate: "brrr" }, [8, 32]);
    const { tables, figures, notes } = shownOf(data, "brrr", ["one", "two"]);
    expect(tables.map(({ title }) => title)).toEqual([
      "Attention before and after the attack (IoU)",
      "Attention on the clean image and the object's box (IoU)",
      "Confidence where attention misses the object (IoU below 0.5)",
    ]);
    expect(tables[1]?.rows[0]).toEqual(["one", expect.any(String), "0.333", "0.333", "0.000", 2, 0.5]);
    expect(tables[2]?.rows[0]).toEqual(["one", expect.any(String), "0.900", "0.800", "0.100", 2, 0.5]);
    expect(figures?.map((figure) => figure.kind === "box" && figure.boxes.map(({ label }) => label))).toEqual([
      ["one, succeeded", "one, failed", "two, succeeded", "two, failed"],
      ["one, succeeded", "one, failed", "two, succeeded", "two, failed"],
    ]);
    expect(notes.filter((note) => note.startsWith("one, "))).toEqual([
      expect.stringContaining("zero everywhere: 1 clean and 1 attacked image."),
      expect.stringContaining("1 image without a box"),
    ]);
  });
});
