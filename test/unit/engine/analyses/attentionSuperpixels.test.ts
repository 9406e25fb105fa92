import { beforeAll, describe, expect, it } from "vitest";
import type { StudyData } from "../../../../src/engine/analyses/attentionOverlap.ts";
import { attentionStudy } from "../../../../src/engine/analyses/attentionStudy.ts";
import { superpixelsOf } from "../../../../src/engine/analyses/attentionSuperpixels.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import type { Classifier } from "../../../../src/engine/classifier/classifier.ts";
import { createContext } from "../../../../src/engine/context.ts";
import type { AnalysedAttack } from "../../../../src/engine/define/analysis.ts";
import type { Bound, Box, Explanation, Explanations, Superpixels } from "../../../../src/engine/define/index.ts";
import { inMemory } from "../../../../src/engine/evaluation/batches.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { analysedAttack, arm, facts, measuredInShards, subject, undefended } from "./fixtures.ts";

beforeAll(() => useBackend("cpu"));

const ctx = createContext();
const { params: bound } = bind("analysis", { kind: "attentionStudy" });
const method = bound["method"] as Bound<Explanation>;
const pgd = (fate: string): AnalysedAttack => analysedAttack({ attack: { id: "pgd", params: { eps: 0.1 } }, fate });
const shape = [2, 4, 1] as const;
const first = [8, 7, 6, 5, 4, 3, 2, 1];
const right = (xmin: number): Box => ({ label: "", xmin, xmax: 4, ymin: 0, ymax: 2 });

describe("areas by superpixels", () => {
  /** Superpixels by hand of 2×4 pixels, one for each column; weights of the clean image, and of the attacked one. */
  interface Weights {
    readonly clean: readonly number[];
    readonly attacked: readonly number[];
  }
  async function studied(images: readonly Weights[], fate: string, more: Record<string, unknown> = {}, boxes: readonly Box[] = []) {
    const n = images.length;
    const given: (readonly Int32Array[] | undefined)[] = [];
    const columns = Int32Array.of(0, 1, 2, 3, 0, 1, 2, 3);
    const asked = subject({
      model: { inputShape: shape, classes: 2, batchSizes: { forward: 3, gradient: 3 } } as unknown as Classifier,
      attacks: [pgd(fate)],
      images: (key) =>
        inMemory({ images: Float32Array.from({ length: 8 * n }, (_, i) => (i >> 3) + (key ? 0.5 : 0)), labels: new Int32Array(n), n }, [
          ...shape,
        ]),
      boxes: () => boxes,
      scores: async () => ({ probabilities: new Float32Array(2 * n), labels: new Int32Array(n), classes: 2 }),
      save: async () => "",
      explain: async (_, of, [start, end] = [0, n], superpixels) => {
        const { images: pixels } = await of.read(start, end);
        const isAttacked = (pixels[0] as number) % 1 !== 0;
        if (isAttacked && end - start === 1) given.push(superpixels);
        const map = Float32Array.from(first);
        const weights = images[Math.floor(pixels[0] as number)] as Weights;
        const own = {
          segments: columns,
          coefficients: Float64Array.from(weights[isAttacked ? "attacked" : "clean"]),
        } as unknown as Superpixels;
        const scores = new Float32Array(2 * (end - start));
        const degenerate = Array.from({ length: end - start }, () => false);
        const rest = { layer: null, predictions: [], area: () => map, share: () => 0, overlap: () => null };
        return { ...rest, scores, degenerate, map: () => map, grid: () => null, superpixels: () => own } satisfies Explanations;
      },
    });
    const wanted = { ...bound, features: [1, 2], superpixelImages: 9, ...more };
    const data = (await measuredInShards(attentionStudy, asked, wanted, { n, size: 3 })) as StudyData;
    return { data, found: data.superpixels?.[0], given };
  }
  const weights = [
    { clean: [0.9, 0.5, 0.1, -1], attacked: [0.5, 0.9, 0.1, 0] }, // {0} and {1}, then {0,1} and {1,0}
    { clean: [0.9, 0, 0, -1], attacked: [0.9, 0.5, 0, 0] }, // {0} and {0}; one superpixel alone is positive, then {0} and {0,1}
    { clean: [0, 0, -1, -1], attacked: [0.9, 0.5, 0, 0] }, // nothing speaks for the class
    { clean: [0, 0, 0.2, 0.9], attacked: [0, 0, 0.2, 0.9] },
    { clean: [9, 9, 9, 9], attacked: [9, 9, 9, 9] }, // wrong before
  ];

  it("are the superpixels of the largest positive weights, before and after", async () => {
    const { found } = await studied(weights, "bbbrw");
    expect(found?.degenerate).toBe(1);
    expect(
      found?.areas.map(({ features, deviation, object }) => [features, deviation.succeeded?.mean, deviation.failed?.mean, object]),
    ).toEqual([
      [1, 0.5, 1, null],
      [2, 0.75, 1, null],
    ]);
  });

  it("are held against the boxes, the degenerate attacked image too", async () => {
    const { data, found } = await studied(weights, "bbbrw", {}, [right(2)]);
    // Two columns of four: {0}, {0} and {3} meet none, none and one of them; {0,1}, {0} and {2,3} none, none and all.
    expect(found?.areas.map(({ object }) => [object?.succeeded?.mean, object?.failed?.mean])).toEqual([
      [0, 0.5],
      [0, 1],
    ]);
    const shown = attentionStudy.present([arm({ name: "one", defense: undefended, data })], bound, facts([]));
    const titles = shown.tables.map(({ title }) => title).filter((title) => title.startsWith("LIME"));
    expect(titles).toEqual(["LIME: areas before and after the attack (IoU)", "LIME: area on the clean image and the object's box (IoU)"]);
    expect(shown.tables.find(({ title }) => title === titles[0])?.rows[0]?.slice(2, 4)).toEqual(["1 superpixel", "0.500 ± 0.980"]);
    expect(shown.notes.join(" ")).toContain("left out of LIME: 1 image without a superpixel");
  });

  it("take the clean image's superpixels where they are shared, and the first images alone where fewer are wanted", async () => {
    expect((await studied(weights, "bbbrw")).given).toEqual([undefined, undefined, undefined, undefined]);
    const shared = await studied(weights, "bbbrw", { shareSegments: true, superpixelImages: 2 });
    expect(shared.given).toEqual(Array.from({ length: 2 }, () => [Int32Array.of(0, 1, 2, 3, 0, 1, 2, 3)]));
    expect((await studied(weights, "bbbrw", { superpixelImages: 0 })).data.superpixels).toBeUndefined();
  });

  it("refuses an explanation without any", async () => {
    const asked = subject({
      attacks: [pgd("b")],
      images: () => inMemory({ images: new Float32Array(8), labels: new Int32Array(1), n: 1 }, [...shape]),
      explain: async () => ({ superpixels: () => null }) as unknown as Explanations,
    });
    await expect(superpixelsOf(asked, { method, features: [8], isShared: false }, [0, 1], ctx)).rejects.toMatchObject({
      code: "PARAMETER_INVALID",
      message: "attentionStudy: Grad-CAM has no superpixels.",
    });
  });
});
