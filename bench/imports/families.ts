// Our side of `node bench/imports.mjs families`: logits and input gradients of exported networks against PyTorch's in 64 bits, at one and two
// pictures, and images that PGD makes, for PyTorch to classify. Prints one JSON line for each file.
import { readFileSync, writeFileSync } from "node:fs";
import { pgd } from "../../src/engine/attacks/pgd.ts";
import { useBackend } from "../../src/engine/backends/index.ts";
import { runNetwork } from "../../src/engine/classifier/graph.ts";
import { createContext } from "../../src/engine/context.ts";
import { resolveParams } from "../../src/engine/define/index.ts";
import { loadNetwork } from "../../src/engine/importers/index.ts";
import { classifierOfLoaded } from "../../src/engine/session/openModel.ts";
import { type Images, tf } from "../../src/engine/tf.ts";

const numbers = (file: string): Float32Array => new Float32Array(Uint8Array.from(readFileSync(file)).buffer);

/** Largest difference, of the largest value. */
function apart(ours: ArrayLike<number>, theirs: Float32Array): number {
  let [difference, scale] = [0, 0];
  for (let i = 0; i < theirs.length; i++) {
    const one = Math.abs((ours[i] as number) - (theirs[i] as number));
    difference = Number.isNaN(one) ? Number.POSITIVE_INFINITY : Math.max(difference, one);
    scale = Math.max(scale, Math.abs(theirs[i] as number));
  }
  return ours.length === theirs.length ? difference / scale : Number.POSITIVE_INFINITY;
}

async function compared(stem: string) {
  const { size, torch32 } = JSON.parse(readFileSync(`${stem}.json`, "utf8")) as { size: number; torch32: object };
  const loaded = await loadNetwork(`${stem}.onnx`, { input: { mean: 0, scale: 255 } }, { isUnnamed: true });
  const [x, y, g, w] = ["x", "y", "g", "w"].map((part) => numbers(`${stem}.${part}.bin`)) as [
    Float32Array,
    Float32Array,
    Float32Array,
    Float32Array,
  ];
  const [logits, gradient] = [[] as number[], [] as number[]];
  for (const b of [1, 2]) {
    const images: Images = tf.tensor4d(x.slice(0, b * size * size * 3), [b, size, size, 3]);
    const weighted = (v: tf.Tensor): tf.Scalar => tf.sum(tf.mul(runNetwork(loaded.network, v), tf.tensor1d(w)));
    const ours = tf.tidy(() => runNetwork(loaded.network, images));
    const slope = tf.tidy(() => tf.grad(weighted)(images));
    logits.push(apart(await ours.data(), y.subarray(0, b * 10)));
    gradient.push(apart(await slope.data(), g.subarray(0, images.size)));
    tf.dispose([images, ours, slope]);
  }
  const moves = loaded.network.layers.filter((layer) => layer.getClassName() === "Permute").length;
  const classifier = classifierOfLoaded(loaded, `${stem}.onnx`);
  try {
    const attacked = await attack(classifier, tf.tensor4d(x, [2, size, size, 3]), stem);
    return { logits, gradient, torch32, moves, attacked };
  } finally {
    classifier.dispose();
  }
}

type Attacked = ReturnType<typeof classifierOfLoaded>;
/** PGD-10 away from the network's own predictions; the images and predictions are written for PyTorch. */
async function attack(model: Attacked, images: Images, stem: string): Promise<number> {
  const predict = async (batch: Images): Promise<number[]> => {
    const found = tf.tidy(() => tf.argMax(model.logits(batch), 1));
    const result = [...(await found.data())];
    found.dispose();
    return result;
  };
  const before = await predict(images);
  const context = createContext();
  const ctx = { ...context, iterate: () => context.checkpoint(), random: (i: number) => context.rng.stream(String(i)) };
  const labels = tf.tensor1d(before, "int32");
  const adversarial = await pgd.run(model, { images, labels }, resolveParams(pgd.params, { steps: 10, eps: 8 / 255 }, "pgd"), ctx);
  const after = await predict(adversarial);
  writeFileSync(`${stem}.adversarial.bin`, Buffer.from((await adversarial.data()).buffer));
  writeFileSync(`${stem}.predicted.json`, JSON.stringify({ before, after }));
  tf.dispose([images, labels, adversarial]);
  return after.filter((one, i) => one !== before[i]).length;
}

async function main(): Promise<void> {
  await useBackend("onnxruntime");
  for (const stem of process.argv.slice(2)) {
    const found = await compared(stem).catch((error: Error) => ({ error: `${error.message}`.slice(0, 300) }));
    console.log(JSON.stringify({ stem, ...found }));
  }
}
void main();
