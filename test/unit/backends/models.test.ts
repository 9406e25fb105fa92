import { beforeAll, describe, expect, it } from "vitest";
import { useBackend } from "../../../src/engine/backends/index.ts";
import { resolveParams } from "../../../src/engine/define/index.ts";
import { models } from "../../../src/engine/registry.ts";
import { tf, type tfl } from "../../../src/engine/tf.ts";
import { to3d } from "../engine/models/to3d.ts";
import { difference, noise } from "./nets.ts";

/**
 * Every builder of the registry, in 2-D and converted to volumes of two slices, against cpu: logits, the gradient of the summed
 * cross-entropy with respect to the images, and to every trainable weight, all in inference mode, in which images do not act on each other
 * (deep networks that normalise over a batch amplify rounding beyond any bound). Two numbers agree when max|a − b| ≤ 1e-4·max|b| over the
 * whole tensor b of cpu. Batch 33 is three images eleven times over: cpu computes the three, whose rows must repeat and whose weight
 * gradients must be eleven times as large. Networks are as narrow and images as small as a builder takes.
 */
const classes = 5;
const distinct = 3;
const copies = 11;
const narrow: Readonly<Record<string, unknown>> = { width: 0.1, hidden: 16, dropout: 0, padding: "same" };
type Build = () => tfl.LayersModel;

/** The builder on the smallest images that it takes. */
function smallest(id: string, inSlices: boolean): Build {
  const spec = models.find((entry) => entry.id === id);
  if (!spec) throw new Error(`no model ${id}`);
  const known = Object.keys(spec.params.properties);
  const params = resolveParams(spec.params, Object.fromEntries(Object.entries(narrow).filter(([name]) => known.includes(name))), id);
  let refused: unknown;
  for (const side of [4, 8, 16, 32, 64]) {
    const build = (): tfl.LayersModel => {
      const flat = spec.build(params, { inputShape: [side, side, 3], classes, seed: 1 });
      return inSlices ? to3d(flat, { depth: 2, patch: [side, side], kernelDepth: 3 }) : flat;
    };
    try {
      build().dispose();
      return build;
    } catch (thrown) {
      refused = thrown;
    }
  }
  throw refused;
}

/** Images in [0,1), the first `n` of the same sequence, over and over up to `batch`. */
function imagesOf(network: tfl.LayersModel, n: number, batch: number): tf.Tensor {
  const shape = network.inputs[0]?.shape.slice(1).map((size) => size ?? 1) ?? [];
  const size = shape.reduce((product, length) => product * length, 1);
  const values = noise(n * size, { seed: 7 }, 0.5).map((value) => value + 0.5);
  return tf.tidy(() => tf.tile(tf.tensor(values, [n, ...shape]), [batch / n, ...shape.map(() => 1)]));
}
const logitsOf = (network: tfl.LayersModel, x: tf.Tensor): tf.Tensor => {
  const y = network.apply(x, { training: false }) as tf.Tensor;
  return y.rank === 3 ? tf.mean(y, 1) : y;
};

/** Logits, the images' gradient and every weight's: one pass, and so few graphs. */
function evaluate(network: tfl.LayersModel, n: number, batch: number): Float32Array[] {
  const images = imagesOf(network, n, batch);
  const x = tf.variable(images);
  try {
    return tf.tidy(() => {
      const labels = tf.oneHot(
        tf.tensor1d(
          [...Array(batch).keys()].map((i) => (i % n) % classes),
          "int32",
        ),
        classes,
      );
      let logits: tf.Tensor | undefined;
      const { grads } = tf.variableGrads(() => {
        logits = tf.keep(logitsOf(network, x));
        return tf.neg(tf.sum(tf.mul(tf.logSoftmax(logits), labels))) as tf.Scalar;
      });
      const found = [logits, grads[x.name], ...network.trainableWeights.map(({ name }) => grads[name])];
      const values = found.map((tensor) => (tensor?.dataSync() as Float32Array | undefined)?.slice() ?? Float32Array.of(Number.NaN));
      logits?.dispose();
      return values;
    });
  } finally {
    x.dispose();
    images.dispose();
  }
}

async function onBoth<T>(build: Build, body: (network: tfl.LayersModel) => T): Promise<[wanted: T, actual: T]> {
  await tf.setBackend("cpu");
  const network = build();
  const weights = network.getWeights().map((weight) => ({ values: weight.dataSync().slice(), shape: weight.shape }));
  const wanted = body(network);
  network.dispose();
  await tf.setBackend("onnxruntime");
  const same = build();
  same.setWeights(weights.map(({ values, shape }) => tf.tensor(values, shape)));
  const actual = body(same);
  same.dispose();
  return [wanted, actual];
}
const repeated = (values: Float32Array): Float32Array =>
  Float32Array.from({ length: copies * values.length }, (_, i) => values[i % values.length] ?? Number.NaN);
function expectAgreement(actual: Float32Array[], wanted: Float32Array[]): void {
  expect(actual.length).toBe(wanted.length);
  for (const [i, values] of wanted.entries()) expect(difference(actual[i] ?? [], values), `tensor ${i}`).toBeLessThan(1e-4);
}

beforeAll(async () => {
  await useBackend("cpu");
  await useBackend("onnxruntime");
});

const cases = models.flatMap(({ id }) => [[id, "2-D"] as const, [id, "3-D"] as const]);

describe.each(cases)("%s in %s", (id, kind) => {
  let build: Build;
  beforeAll(async () => {
    await tf.setBackend("cpu");
    build = smallest(id, kind === "3-D");
  }, 300_000);

  it("batch 1: logits, image and weight gradients as on cpu", async () => {
    const [wanted, actual] = await onBoth(build, (network) => evaluate(network, 1, 1));
    expectAgreement(actual, wanted);
  }, 300_000);

  it("batch 33: logits, image and weight gradients as on cpu", async () => {
    const [wanted, actual] = await onBoth(build, (network) =>
      tf.getBackend() === "cpu" ? evaluate(network, distinct, distinct) : evaluate(network, distinct, distinct * copies),
    );
    expectAgreement(
      actual,
      wanted.map((values, i) => (i < 2 ? repeated(values) : values.map((value) => value * copies))),
    );
  }, 300_000);
});
