import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../../src/engine/backends/index.ts";
import { type Classifier, inputGradient } from "../../../../src/engine/classifier/classifier.ts";
import { defended } from "../../../../src/engine/classifier/defended.ts";
import { classifierOf } from "../../../../src/engine/classifier/network.ts";
import { attackSurface } from "../../../../src/engine/classifier/surface.ts";
import { createContext } from "../../../../src/engine/context.ts";
import { inMemory } from "../../../../src/engine/evaluation/batches.ts";
import { detectImages } from "../../../../src/engine/evaluation/detect.ts";
import { createRandom } from "../../../../src/engine/random.ts";
import { bind } from "../../../../src/engine/registry.ts";
import { voteEntropy } from "../../../../src/engine/sampling/entropy.ts";
import { minimumVariance } from "../../../../src/engine/sampling/varianceMinimization.ts";
import { type Images, type Logits, tf, tfl } from "../../../../src/engine/tf.ts";
import { inertTexts } from "../../../../src/shared/sampledUnits.ts";
import { noisy } from "../classifier/noisy.ts";
import { convNetwork, linearClassifier, near, randomBatch } from "../fixtures.ts";

beforeAll(() => useBackend("cpu"));

const shape = [6, 6, 1] as const;
const classes = 3;
const init = (seed: number) => tfl.initializers.glorotUniform({ seed });
type Symbolic = tfl.SymbolicTensor;
const of = (network: tfl.LayersModel, input: object = {}): Classifier => classifierOf(network, { contract: { input }, outputs: "logits" });
const plain = (): Classifier => of(convNetwork({ shape: [...shape], classes }));
/** Two convolutions that end in a ReLU of their own. */
const twoUnits = (format: "channelsFirst" | "channelsLast" = "channelsLast"): Classifier => {
  const isFirst = format === "channelsFirst";
  const input = tfl.input({ shape: isFirst ? [1, 6, 6] : [6, 6, 1] });
  const layer = (seed: number) =>
    tfl.layers.conv2d({ filters: 3, kernelSize: 3, activation: "relu", dataFormat: format, kernelInitializer: init(seed) });
  const maps = layer(2).apply(layer(1).apply(input)) as Symbolic;
  const last = isFirst ? (tfl.layers.permute({ dims: [2, 3, 1] }).apply(maps) as Symbolic) : maps;
  const scores = tfl.layers.dense({ units: classes, kernelInitializer: init(3) }).apply(tfl.layers.flatten().apply(last));
  return of(tfl.model({ inputs: input, outputs: scores as Symbolic }), isFirst ? { layout: "nchw" } : {});
};
const batch = randomBatch(5, shape, classes, 4);
const images = inMemory(batch, shape);
const detect = (kind: string, o: object = {}, model = plain(), seen = images) =>
  detectImages(
    { detector: bind("detector", { kind, runs: 20, ...o }), model, images: seen, keepsProbabilities: true },
    createContext({ seed: 3 }),
  );
const kinds = ["varianceMinimization", "stochasticActivationPruning", "dropoutUncertainty"];
const little = { varianceMinimization: { ratio: 0.1 }, stochasticActivationPruning: { ratio: 0.03 }, dropoutUncertainty: { rate: 0.8 } };
const littleOf = (kind: string): object => (little as Record<string, object>)[kind] as object;

describe("the entropy of votes", () => {
  it("is in nats, 0 where all agree", () => {
    expect(voteEntropy([97, 3])).toBeCloseTo(0.134742, 6);
    expect(voteEntropy(new Array(10).fill(7))).toBeCloseTo(Math.log(10), 6);
    expect(voteEntropy([0, 100, 0])).toBe(0);
  });
});

describe.each(kinds)("%s", (kind) => {
  it("counts a vote for each pass, whose entropy is the score", async () => {
    const { scores, votes, passes, units } = await detect(kind, littleOf(kind));
    expect(passes).toBe(21);
    expect(scores.some((score) => score > 0)).toBe(true);
    scores.forEach((score, i) => {
      const counts = votes.slice(i * classes, (i + 1) * classes);
      expect(counts.reduce((a, b) => a + b)).toBe(20);
      expect(score).toBe(voteEntropy(counts));
    });
    expect(units).toEqual([expect.objectContaining({ rows: 36, channels: 4 })]);
    expect(units[0]?.kept).toBeGreaterThan(0);
    expect(units[0]?.kept).toBeLessThan(0.5);
  });

  it("says the same of an image alone, in a batch, and whatever passes are computed together", async () => {
    for (const make of [plain, twoUnits]) {
      const all = await detect(kind, littleOf(kind), make());
      for (const forward of [1, 7]) {
        const { votes } = await detect(kind, littleOf(kind), { ...make(), batchSizes: { forward, gradient: 1 } });
        expect([...votes]).toEqual([...all.votes]);
      }
    }
  });

  it("leaves the network's weights and predictions as they are", async () => {
    const model = twoUnits();
    const x = tf.tensor4d(batch.images, [5, ...shape]) as Images;
    const before = model.logits(x).dataSync();
    await detect(kind, littleOf(kind), model);
    expect([...model.logits(x).dataSync()]).toEqual([...before]);
  });

  it("is 0 after a single pass, and of a network that says the same of everything", async () => {
    expect([...(await detect(kind, { ...littleOf(kind), runs: 1 })).scores]).toEqual([0, 0, 0, 0, 0]);
    const network = convNetwork({ shape: [...shape], classes });
    const dense = network.layers.at(-1) as tfl.layers.Layer;
    dense.setWeights([tf.zeros([36, classes]), tf.tensor1d([0, 1, 0])]);
    const { scores, votes } = await detect(kind, littleOf(kind), of(network));
    expect([...scores]).toEqual([0, 0, 0, 0, 0]);
    expect([...votes.slice(0, 3)]).toEqual([0, 20, 0]);
  });

  it("works behind a randomised defence, whose draw of an image all its passes share", async () => {
    const model = () => defended(plain(), [noisy], { random: (i) => createRandom(i) });
    const all = await detect(kind, littleOf(kind), model());
    expect([...(await detect(kind, littleOf(kind), model())).votes]).toEqual([...all.votes]);
  });

  it("refuses a network without a ReLU in front of its flattening, and one that shows no layers", async () => {
    const refusal = {
      code: "MODEL_UNSUPPORTED",
      message: expect.stringContaining("behind the ReLUs"),
      fix: expect.stringContaining("softmaxEntropy"),
    };
    await expect(
      detect(kind, {}, linearClassifier([[1], [2]], [1, 1, 1]), inMemory(randomBatch(1, [1, 1, 1], 2), [1, 1, 1])),
    ).rejects.toMatchObject(refusal);
    await expect(detect(kind, {}, { ...plain(), layers: undefined })).rejects.toMatchObject({ code: "MODEL_UNSUPPORTED" });
  });

  it("has a surrogate that falls along its gradient", async () => {
    const bound = bind("detector", { kind, ...littleOf(kind), evasionPasses: 30 });
    const streams = { random: (i: number) => createRandom(`${i}`) }; // the same draws in every call
    const model = plain();
    const value = (x: tf.Tensor) => tf.sum(bound.entry.surrogate?.(model, x as Images, bound.params, streams) as tf.Tensor1D);
    const x = tf.tensor4d(batch.images, [5, ...shape]);
    const gradient = tf.grad(value)(x);
    const length = tf.norm(gradient).dataSync()[0] as number;
    const step = 1e-3 / length;
    const change = (value(tf.add(x, tf.mul(gradient, step))).dataSync()[0] as number) - (value(x).dataSync()[0] as number);
    expect(length).toBeGreaterThan(0);
    // Rows are drawn with probabilities that move with the image, so the change is near the gradient's, not equal.
    if (kind === "dropoutUncertainty") expect(change / (1e-3 * length)).toBeCloseTo(1, 1);
    else expect(Number.isFinite(change)).toBe(true);
  });
});

describe("varianceMinimization", () => {
  it("draws by the squared norms of the plain activations, unit by unit", async () => {
    const model = twoUnits();
    const { units, probabilities } = await detect("varianceMinimization", { ratio: 0.5 }, model);
    expect(units.map(({ rows, channels, c }) => [rows, channels, c])).toEqual([
      [16, 3, 18],
      [4, 3, 18],
    ]);
    const x = tf.tensor4d(batch.images, [5, ...shape]) as Images;
    const { taken } = model.layers?.run(x, { take: units.map(({ layer }) => layer) }) ?? expect.unreachable();
    units.forEach(({ layer, rows }, u) => {
      const value = (taken.get(layer) as tf.Tensor).reshape([5, rows, 3]).arraySync() as number[][][];
      value.forEach((map, i) => {
        const alpha = map.map((row) => row.reduce((sum, z) => sum + z * z, 0));
        expect(near(probabilities[u]?.slice(i * rows, (i + 1) * rows) ?? [], minimumVariance(alpha, 18))).toBeLessThan(1e-6);
      });
    });
  });

  it("takes c of the image's pixels or of the unit's rows, and all ReLUs or the last", async () => {
    const cOf = async (o: object) => (await detect("varianceMinimization", o, twoUnits())).units.map(({ c }) => c);
    expect(await cOf({ ratio: 1 })).toEqual([36, 36]);
    expect(await cOf({ ratio: 0.5, cMode: "perUnit" })).toEqual([8, 2]);
    expect(await cOf({ ratio: 0.5, cMode: "perUnit", units: "lastConvRelu" })).toEqual([2]);
    expect(await cOf({ ratio: 0.01, cMode: "perUnit" })).toEqual([1, 1]);
  });

  it("votes for the plain prediction in every pass where draws are so many that all rows stay", async () => {
    const { votes, predictions, units } = await detect("varianceMinimization", { ratio: 20_000, runs: 3 }, twoUnits());
    predictions.forEach((prediction, i) => {
      expect(votes[i * classes + prediction]).toBe(3);
    });
    expect(inertTexts(units)).toEqual([expect.stringContaining("is inert: it keeps"), expect.stringContaining("inert")]);
    expect(inertTexts([{ layer: "a", rows: 64, channels: 2, c: 32, kept: 0.394, active: 1 }])).toEqual([]);
  });

  it("finds the same with the paper's projected gradient, for many draws", async () => {
    const [kkt, pgd] = [
      await detect("varianceMinimization", { ratio: 4 }),
      await detect("varianceMinimization", { ratio: 4, solver: "pgd" }),
    ];
    expect(near(kkt.probabilities[0] ?? [], pgd.probabilities[0] ?? [])).toBeLessThan(1e-3);
    expect(near(kkt.probabilities[0] ?? [], pgd.probabilities[0] ?? [])).toBeGreaterThan(0);
  });

  it("reads a channels-first network as it reads the same one channels last", async () => {
    const last = await detect("varianceMinimization", { ratio: 0.2 }, twoUnits());
    const first = await detect("varianceMinimization", { ratio: 0.2 }, twoUnits("channelsFirst"));
    expect(first.units.map(({ rows, channels }) => [rows, channels])).toEqual(last.units.map(({ rows, channels }) => [rows, channels]));
    last.probabilities.forEach((p, u) => {
      expect(near(first.probabilities[u] ?? [], p)).toBeLessThan(1e-6);
    });
  });

  it("sees a dead unit as one that changes nothing", async () => {
    const network = convNetwork({ shape: [...shape], classes });
    (network.layers[1] as tfl.layers.Layer).setWeights([tf.zeros([3, 3, 1, 4]), tf.fill([4], -1)]);
    const { scores, units, probabilities } = await detect("varianceMinimization", {}, of(network));
    expect([...scores]).toEqual([0, 0, 0, 0, 0]);
    expect(units[0]?.kept).toBe(0);
    expect(near(probabilities[0] ?? [], new Float64Array(5 * 36))).toBe(0);
  });
});

describe("dropoutUncertainty", () => {
  it("at rate 0 is the plain network, and its surrogate the entropy of its softmax", async () => {
    const model = plain();
    const { votes, predictions } = await detect("dropoutUncertainty", { rate: 0 }, model);
    expect(predictions.every((prediction, i) => votes[i * classes + prediction] === 20)).toBe(true);
    const [bound, entropy] = [bind("detector", { kind: "dropoutUncertainty", rate: 0 }), bind("detector", { kind: "softmaxEntropy" })];
    const x = tf.tensor4d(batch.images, [5, ...shape]) as Images;
    const see = { random: (i: number) => createRandom(i) };
    const [ours, theirs] = [bound, entropy].map(
      ({ entry, params }) =>
        (input: tf.Tensor) =>
          entry.surrogate?.(model, input as Images, params, see) as tf.Tensor,
    );
    expect(near(ours?.(x).dataSync() ?? [], theirs?.(x).dataSync() ?? [])).toBeLessThan(1e-6);
    const gradient = (f: ((input: tf.Tensor) => tf.Tensor) | undefined) =>
      tf
        .grad((input: tf.Tensor) => tf.sum(f?.(input) as tf.Tensor))(x)
        .dataSync();
    expect(near(gradient(ours), gradient(theirs))).toBeLessThan(1e-6);
  });
});

describe.each(kinds)("%s on ONNX Runtime, where arrays are not copied", (kind) => {
  beforeAll(() => useBackend("onnxruntime"));
  afterAll(() => useBackend("cpu"));

  it("says the same of an image alone, and whatever passes are computed together", async () => {
    const all = await detect(kind, littleOf(kind), twoUnits());
    expect(all.scores.some((score) => score > 0)).toBe(true);
    for (const forward of [1, 7]) {
      const { votes } = await detect(kind, littleOf(kind), { ...twoUnits(), batchSizes: { forward, gradient: 1 } });
      expect([...votes]).toEqual([...all.votes]);
    }
  });
});

describe("an attack that knows the detector", () => {
  it("follows a gradient with the surrogate in it, whose passes count", () => {
    const model = plain();
    const detector = bind("detector", { kind: "varianceMinimization", ratio: 0.3, evasionPasses: 4 });
    const surface = attackSurface(model, "adaptive", { detector: { detector, weight: 1, streams: { random: (i) => createRandom(i) } } });
    const x = tf.tensor4d(batch.images, [5, ...shape]) as Images;
    const objective = (logits: Logits) => tf.sum(tf.logSumExp(logits, 1)) as tf.Scalar;
    const before = model.evaluations.gradient;
    const [aware, unaware] = [inputGradient(surface.model, x, objective), inputGradient(model, x, objective)];
    expect(near(aware.gradient.dataSync(), unaware.gradient.dataSync())).toBeGreaterThan(1e-4);
    // Logits; the plain pass that the probabilities follow from; four passes; and the attack that knows nothing.
    expect(model.evaluations.gradient - before).toBe(5 * (1 + 1 + 4 + 1));
    expect(surface.how).toBe("evading Variance minimization (MVM)");
  });
});
