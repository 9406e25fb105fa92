// Candidates a second through the N-pixel attack, beside images a second through the same network in plain batches. One JSON document.
import { nPixel } from "../src/engine/attacks/pixels/nPixel.ts";
import { useBackend } from "../src/engine/backends/index.ts";
import type { Classifier } from "../src/engine/classifier/classifier.ts";
import { classifierOf } from "../src/engine/classifier/network.ts";
import { createContext } from "../src/engine/context.ts";
import { volumizedCurriculum } from "../src/engine/defenses/volumizedCurriculum.ts";
import { type ImageBatch, type ModelSpec, resolveParams } from "../src/engine/define/index.ts";
import { attackBatch } from "../src/engine/harness/runAttack.ts";
import { lenet } from "../src/engine/models/lenet.ts";
import { papernot } from "../src/engine/models/papernot.ts";
import { createRandom } from "../src/engine/random.ts";
import { type Images, tf } from "../src/engine/tf.ts";
import { plainPlan } from "../src/engine/training/plan.ts";
import { median, repeats, stopwatch, type Times } from "./volumes.ts";

const inputShape = [28, 28, 1] as const;
const classes = 10;
const images = 6;
const only = process.env["CASES"]?.split(",");

interface Case {
  readonly model: ModelSpec;
  readonly volumizer?: { readonly patch: number; readonly kernelDepth: number };
  readonly params: Readonly<Record<string, unknown>>;
}
const cases: readonly Case[] = [
  { model: papernot, params: { popSize: 400, maxGen: 2 } },
  { model: papernot, params: { popSize: 400, maxGen: 2, pixels: 16 } },
  { model: papernot, params: { popSize: 30, maxGen: 30 } },
  { model: lenet, params: { popSize: 400, maxGen: 2 } },
  { model: papernot, volumizer: { patch: 7, kernelDepth: 3 }, params: { popSize: 400, maxGen: 2 } },
  { model: papernot, volumizer: { patch: 7, kernelDepth: 0 }, params: { popSize: 400, maxGen: 1 } },
  { model: lenet, volumizer: { patch: 14, kernelDepth: 0 }, params: { popSize: 400, maxGen: 1 } },
];

function classifier({ model, volumizer }: Case): Classifier {
  const facts = { inputShape, classes };
  const base = model.build(resolveParams(model.params, {}, model.id), { ...facts, seed: 1 });
  if (!volumizer) return classifierOf(base, { contract: { input: {} }, outputs: "logits" });
  const params = resolveParams(volumizedCurriculum.params, volumizer, "volumizedCurriculum");
  const plan = volumizedCurriculum.plan(plainPlan, params, facts);
  return classifierOf(plan.network(base), { contract: { input: {} }, outputs: "logits", plan, inputShape });
}

/** Images a second, of wall and of processor time. */
const rates = (images: number, { wall, cpu }: Times): Times => ({ wall: (1000 * images) / wall, cpu: (1000 * images) / cpu });

/** Images with their predictions as labels, so that the attack has work to do with each. */
function batchFor(model: Classifier, n: number): ImageBatch {
  const pixels = createRandom(2).uniforms(n * 784);
  const labels = tf.tidy(() => Int32Array.from(tf.argMax(model.logits(tf.tensor4d(pixels, [n, ...inputShape])), 1).dataSync()));
  return { images: pixels, labels, n };
}

async function main(): Promise<void> {
  const { device } = await useBackend("onnxruntime");
  const rows: object[] = [];
  for (const one of cases.filter((_, i) => !only || only.includes(String(i)))) {
    const model = classifier(one);
    const batch = batchFor(model, images);
    const sizes = new Map<number, number>();
    let candidates: Images | undefined;
    const watched: Classifier = {
      ...model,
      logits: (x) => {
        sizes.set(x.shape[0], (sizes.get(x.shape[0]) ?? 0) + 1);
        if (x.shape[0] > images) candidates ??= tf.keep(x.clone());
        return model.logits(x);
      },
    };
    const params = resolveParams(nPixel.params, { stopMode: "paper5pct", ...one.params }, "nPixel");
    const attack = async (): Promise<Times> => {
      const read = stopwatch();
      const { forwardEvaluations } = await attackBatch(
        { attack: nPixel, params, model: watched, batch, firstIndex: 0, seedName: "bench" },
        createContext(),
      );
      return rates(forwardEvaluations, read());
    };
    const plain = async (x: Images, times: number): Promise<Times> => {
      const read = stopwatch();
      for (let i = 0; i < times; i++) {
        const logits = tf.tidy(() => model.logits(x));
        await logits.data();
        logits.dispose();
      }
      return rates(times * x.shape[0], read());
    };
    await attack();
    const x = candidates as unknown as Images;
    const pairs: { forward: Times; attack: Times }[] = [];
    for (let i = 0; i < repeats; i++) pairs.push({ forward: await plain(x, Math.ceil(1000 / x.shape[0])), attack: await attack() });
    rows.push({
      name: [one.model.id, JSON.stringify(one.volumizer ?? {}), JSON.stringify(one.params)].join(" ").replace(/["{}]/g, ""),
      batch: x.shape[0],
      shapes: [...sizes.keys()],
      attack: median(pairs.map((pair) => pair.attack.wall)),
      forward: median(pairs.map((pair) => pair.forward.wall)),
      ratio: {
        wall: median(pairs.map((pair) => pair.attack.wall / pair.forward.wall)),
        cpu: median(pairs.map((pair) => pair.attack.cpu / pair.forward.cpu)),
      },
    });
    x.dispose();
    model.dispose();
  }
  console.log(JSON.stringify({ device, images, rows }));
}

void main();
