import { beforeEach, expect, test } from "vitest";
import { pgd as attack } from "../../src/engine/attacks/pgd.ts";
import { type DeviceWarning, onDeviceWarning } from "../../src/engine/backends/failures.ts";
import { useBackend } from "../../src/engine/backends/index.ts";
import { OnnxBackend } from "../../src/engine/backends/onnxruntime/backend.ts";
import { prepare } from "../../src/engine/backends/onnxruntime/index.ts";
import { loadNative, type Native, type NativeTensor } from "../../src/engine/backends/onnxruntime/native.ts";
import { classifierOf } from "../../src/engine/classifier/network.ts";
import { createContext } from "../../src/engine/context.ts";
import { resolveParams } from "../../src/engine/define/index.ts";
import { attackInHalves } from "../../src/engine/harness/halving.ts";
import { attackBatch } from "../../src/engine/harness/runAttack.ts";
import type { BatchOutcome } from "../../src/engine/harness/types.ts";
import { createRandom } from "../../src/engine/random.ts";
import { tf, tfl } from "../../src/engine/tf.ts";
import { difference } from "../unit/backends/nets.ts";

type Feeds = Readonly<Record<string, NativeTensor>>;

/** The real native part, whose sessions on a GPU throw where `fails` says so; what the CPU runs is left alone. */
function faulty(fails: (run: number, feeds: Feeds) => string | undefined): Native {
  const native = loadNative();
  let runs = 0;
  return {
    ...native,
    create() {
      const session = native.create();
      let onGpu = false;
      return {
        loadModel(buffer, offset, length, options) {
          onGpu = !JSON.stringify(Reflect.get(options, "executionProviders")).includes('"cpu"]');
          session.loadModel(buffer, offset, length, options);
        },
        run(feeds, fetches, options) {
          const message = onGpu ? fails(++runs, feeds) : undefined;
          if (message !== undefined) throw new Error(message);
          return session.run(feeds, fetches, options);
        },
        dispose: () => session.dispose(),
        endProfiling: () => session.endProfiling(),
      };
    },
  };
}

let warnings: DeviceWarning[] = [];
async function start(fails: (run: number, feeds: Feeds) => string | undefined): Promise<OnnxBackend> {
  if (tf.findBackendFactory("onnxruntime")) tf.removeBackend("onnxruntime");
  prepare({ device: "webgpu", name: "test" }, () => faulty(fails));
  await tf.setBackend("onnxruntime");
  const backend = tf.backend();
  if (!(backend instanceof OnnxBackend)) throw new Error("another backend is current");
  return backend;
}
beforeEach(() => {
  warnings = [];
  return onDeviceWarning((warning) => warnings.push(warning));
});

const side = 6;
const network = (): tfl.LayersModel => {
  const built = tfl.sequential({
    layers: [
      tfl.layers.conv2d({ inputShape: [side, side, 1], filters: 4, kernelSize: 3, activation: "relu" }),
      tfl.layers.flatten(),
      tfl.layers.dense({ units: 3 }),
    ],
  });
  const rng = createRandom(5);
  built.setWeights(
    built.getWeights().map((weight) =>
      tf.tensor(
        Float32Array.from({ length: weight.size }, () => rng.uniform(-0.5, 0.5)),
        weight.shape,
      ),
    ),
  );
  return built;
};
const pictures = (n: number): { images: Float32Array; labels: Int32Array; n: number } => {
  const rng = createRandom(9);
  return {
    images: Float32Array.from({ length: n * side * side }, () => rng.next()),
    labels: Int32Array.from({ length: n }, (_, i) => i % 3),
    n,
  };
};

/** Plain gradient descent by hand, so that no state hides in an optimiser. */
async function train(steps: number): Promise<{ losses: number[]; weights: Float32Array[] }> {
  const net = network();
  const { images, labels, n } = pictures(6);
  const losses: number[] = [];
  for (let step = 0; step < steps; step++) {
    const loss = tf.tidy(() => {
      const x = tf.tensor4d(images, [n, side, side, 1]);
      const wanted = tf.oneHot(tf.tensor1d(labels, "int32"), 3);
      const { value, grads } = tf.variableGrads(() => tf.losses.softmaxCrossEntropy(wanted, net.apply(x) as tf.Tensor) as tf.Scalar);
      for (const weight of net.trainableWeights) {
        const variable = weight.read() as tf.Variable;
        const gradient = grads[variable.name];
        if (gradient) variable.assign(tf.sub(variable, tf.mul(gradient, 0.1)));
      }
      return value;
    });
    losses.push((await loss.data())[0] ?? Number.NaN);
  }
  return { losses, weights: net.getWeights().map((weight) => weight.dataSync().slice() as Float32Array) };
}

test("a device that is lost in training gives way to the CPU in the same step, and the numbers are those of the CPU", async () => {
  const backend = await start((run) => (run > 4 ? "WebGPU device lost (2): Device was destroyed." : undefined));
  const actual = await train(8);
  expect(warnings.map(({ action }) => action)).toEqual(["cpu"]);
  expect(warnings[0]?.message).toMatch(/^WebGPU failed while it computed \(WebGPU device lost.*the CPU continues from the same step/);
  expect(warnings[0]?.device).toMatch(/^ONNX Runtime, CPU/);
  expect(backend.device).toBe("cpu");

  tf.removeBackend("onnxruntime");
  await useBackend("cpu");
  await tf.setBackend("cpu");
  const wanted = await train(8);
  expect(difference(actual.losses, wanted.losses)).toBeLessThan(1e-3);
  for (const [i, weights] of wanted.weights.entries()) expect(difference(actual.weights[i] ?? [], weights)).toBeLessThan(1e-3);
});

const n = 8;
async function pgd(run: typeof attackBatch): Promise<BatchOutcome> {
  const params = resolveParams(attack.params, { eps: 0.2, steps: 4, stepSize: 0.07 }, attack.id);
  const model = classifierOf(network(), { contract: { input: {} }, outputs: "logits" });
  const outcome = await run({ attack, params, model, batch: pictures(n), firstIndex: 0, seedName: "pgd" }, createContext({ seed: 3 }));
  model.dispose();
  return outcome;
}
const wantedOutcome = async (): Promise<BatchOutcome> => {
  await useBackend("cpu");
  await tf.setBackend("cpu");
  return pgd(attackBatch);
};
/** Images that a device is fed at once. */
const fed = (feeds: Feeds): number =>
  Math.max(0, ...Object.values(feeds).map(({ dims }) => (dims.length === 4 && dims[1] === side ? (dims[0] ?? 0) : 0)));

test("a batch that does not fit is attacked in halves, on the same device and with the same result", async () => {
  const wanted = await wantedOutcome();
  const sizes: number[] = [];
  const backend = await start((_run, feeds) => {
    if (fed(feeds) > n / 2) return "Failed to allocate memory for buffer: out of memory";
    if (fed(feeds) > 0) sizes.push(fed(feeds));
    return undefined;
  });
  const actual = await pgd(attackInHalves);
  expect(warnings.map(({ action }) => action)).toEqual(["halved"]);
  expect(warnings[0]?.message).toMatch(/^WebGPU failed with 8 images at once \(Failed to allocate.*half as many are tried/);
  expect(backend.device).toBe("webgpu");
  expect(Math.max(...sizes)).toBe(n / 2);
  expect(difference(actual.adversarial, wanted.adversarial)).toBeLessThan(1e-3);
  expect(actual.predictions).toEqual(wanted.predictions);
  expect(actual.records.map(({ index, success }) => [index, success])).toEqual(
    wanted.records.map(({ index, success }) => [index, success]),
  );
  expect(actual.gradientEvaluations).toBe(wanted.gradientEvaluations);

  // The next batch does not try the size that failed.
  await pgd(attackInHalves);
  expect(warnings).toHaveLength(1);
});

test("a half that fails too is computed on the CPU, and the attack is complete", async () => {
  const wanted = await wantedOutcome();
  const backend = await start((run) => (run > 2 ? "device lost" : undefined));
  const actual = await pgd(attackInHalves);
  expect(warnings.map(({ action }) => action)).toEqual(["halved", "cpu"]);
  expect(backend.device).toBe("cpu");
  expect(difference(actual.adversarial, wanted.adversarial)).toBeLessThan(1e-3);
  expect(actual.gradientEvaluations).toBe(wanted.gradientEvaluations);
});

test("an error of the CPU is nobody's device failure", async () => {
  if (tf.findBackendFactory("onnxruntime")) tf.removeBackend("onnxruntime");
  const native = loadNative();
  prepare({ device: "cpu" }, () => ({
    ...native,
    create: () => {
      const session = native.create();
      return {
        ...session,
        loadModel: () => undefined,
        run: () => {
          throw new Error("broken");
        },
        dispose: () => undefined,
        endProfiling: () => undefined,
      };
    },
  }));
  await tf.setBackend("onnxruntime");
  expect(() => tf.tidy(() => tf.add([1, 2], [3, 4]).dataSync())).toThrow("broken");
  expect(warnings).toEqual([]);
});
