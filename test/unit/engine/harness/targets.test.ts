import { beforeAll, describe, expect, it } from "vitest";
import { target } from "../../../../src/engine/attacks/target.ts";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { evaluationsOf, type Params, type Target } from "../../../../src/engine/define/index.ts";
import { attackBatch } from "../../../../src/engine/harness/runAttack.ts";
import { targetsOf } from "../../../../src/engine/harness/targets.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { bind, find } from "../../../../src/engine/registry.ts";
import { type Images, tf } from "../../../../src/engine/tf.ts";
import { checkValue } from "../../../../src/shared/check.ts";
import { linearClassifier } from "../fixtures.ts";

beforeAll(() => useBackend("cpu"));

/** Four classes whose logits are the four values of the image. */
const model = () =>
  linearClassifier(
    [0, 1, 2, 3].map((k) => [0, 1, 2, 3].map((j) => (j === k ? 1 : 0))),
    [2, 2, 1],
  );
const random = (first: number) => (i: number) => createRandom(`image ${first + i}`);
const of = async (aim: Target | null, rows: number[][], labels: number[], first = 0) => {
  const classifier = model();
  const images: Images = tf.tensor4d(rows.flat(), [rows.length, 2, 2, 1]);
  const targets = await targetsOf(aim, { model: classifier, images, labels, random: random(first) });
  return { targets, passes: classifier.evaluations.forward };
};

describe("target classes", () => {
  const rows = [
    [0.4, 0.9, 0.1, 0.2],
    [0.4, 0.9, 0.1, 0.2],
    [0.3, 0.3, 0.3, 0.3],
  ];

  it("are the class that was named, for every image, or none", async () => {
    expect(await of(2, rows, [1, 0, 3])).toEqual({ targets: [2, 2, 2], passes: 0 });
    expect(await of(null, rows, [1, 0, 3])).toEqual({ targets: null, passes: 0 });
  });

  it("are the clean image's most or least likely class beside the label, the first of equals, for one pass", async () => {
    // Scores .4 .9 .1 .2: beside class 1 class 0 leads; beside class 0 (misclassified) the prediction, class 1.
    expect(await of("runnerUp", rows, [1, 0, 0])).toEqual({ targets: [0, 1, 1], passes: 3 });
    expect(await of("leastLikely", rows, [1, 2, 3])).toEqual({ targets: [2, 3, 0], passes: 3 });
  });

  it("are drawn uniformly among the classes beside the label, for an image the same alone as in a batch", async () => {
    const n = 3000;
    const many = await of(
      "random",
      Array.from({ length: n }, () => [0, 0, 0, 0]),
      Array.from({ length: n }, (_, i) => i % 4),
    );
    const counts = [0, 1, 2, 3].map((label) =>
      [0, 1, 2, 3].map((k) => many.targets?.filter((chosen, i) => i % 4 === label && chosen === k).length ?? 0),
    );
    // 750 images of each label: 250 for each other class, standard deviation √(750·⅓·⅔) = 12.9.
    counts.forEach((row, label) => {
      row.forEach((count, k) => {
        if (k === label) expect(count).toBe(0);
        else expect(Math.abs(count - 250)).toBeLessThan(4 * 12.9);
      });
    });
    const alone = await Promise.all([0, 1, 2, 3, 4].map((i) => of("random", [[0, 0, 0, 0]], [i % 4], i)));
    expect(alone.map(({ targets }) => targets?.[0])).toEqual(many.targets?.slice(0, 5));
  });

  it("refuse scores that are no numbers", async () => {
    await expect(of("runnerUp", [[Number.NaN, 0, 0, 0]], [0])).rejects.toMatchObject({ code: "MODEL_NAN" });
  });

  it("are written as a class or a word, and everything else is refused in words that say what is allowed", () => {
    for (const value of [-1, 0, 7, "random", "runnerUp", "leastLikely"]) expect(checkValue(target, value, ["target"])).toEqual([]);
    expect(checkValue(target, "randm", ["target"])[0]).toMatchObject({ message: 'target is "randm", which is not known', meant: "random" });
    expect(checkValue(target, -2, ["target"])[0]?.message).toBe("target is -2 but must be at least -1");
    expect(checkValue(target, 1.5, ["target"])[0]?.message).toContain("a whole number or a text in quotes");
  });
});

describe("an attack with a target for each image", () => {
  const batch = {
    images: Float32Array.from([0.4, 0.6, 0.1, 0.2, 0.5, 0.1, 0.3, 0.4, 0.1, 0.2, 0.3, 0.4]),
    labels: Int32Array.from([1, 0, 3]),
    n: 3,
  };
  const run = async (params: Params, part = batch, firstIndex = 0) => {
    const { entry, params: complete } = bind("attack", { kind: "pgd", eps: 0.5, steps: 10, randomStart: false, ...params });
    const classifier = model();
    const task = { attack: entry, params: complete, model: classifier, batch: part, firstIndex, seedName: "pgd" };
    return attackBatch(task, createContext({ seed: 1 }));
  };

  it("is judged by each image's own, which its record states", async () => {
    const { records, forwardEvaluations } = await run({ target: "leastLikely" });
    expect(records.map(({ target: aim, prediction, success }) => [aim, prediction, success])).toEqual([
      [2, 2, true],
      [1, 1, true],
      [0, 0, true],
    ]);
    expect(forwardEvaluations).toBe(3);
    expect((await run({ target: "runnerUp" })).records.map(({ target: aim }) => aim)).toEqual([0, 3, 2]);
  });

  it("draws a random one for an image alone as in a batch, and never the label", async () => {
    const many = (await run({ target: "random" })).records;
    expect(many.every(({ label, target: aim }) => aim !== undefined && aim !== label)).toBe(true);
    const second = { images: batch.images.slice(4, 8), labels: batch.labels.slice(1, 2), n: 1 };
    expect((await run({ target: "random" }, second, 1)).records[0]?.target).toBe(many[1]?.target);
  });

  it("says what the pass for the clean scores costs", () => {
    const attack = find("attack", "pgd");
    const cost = (aim: Target) => evaluationsOf(attack, bind("attack", { kind: "pgd", steps: 10, target: aim }).params);
    expect(cost("leastLikely")).toEqual({ forward: 1, gradient: 10 });
    expect(cost("random")).toEqual({ forward: 0, gradient: 10 });
  });

  it("is named by it", () => {
    const label = (aim: Target) => {
      const { entry, params } = bind("attack", { kind: "pgd", target: aim });
      return entry.label?.(params);
    };
    expect(label("random")).toMatch(/, random target$/);
    expect(label("leastLikely")).toMatch(/, least likely target$/);
    expect(label(3)).toMatch(/, target 3$/);
    expect(label(-1)).not.toContain("target");
  });
});
