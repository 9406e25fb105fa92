// What a step of each training defence costs beside plain training, crafting apart. Prints one JSON document.
import { useBackend } from "../src/engine/backends/index.ts";
import { classifierOf } from "../src/engine/classifier/network.ts";
import { createContext } from "../src/engine/context.ts";
import { resolveParams } from "../src/engine/define/index.ts";
import { lenet } from "../src/engine/models/lenet.ts";
import { resnet9 } from "../src/engine/models/resnet9.ts";
import { createRandom } from "../src/engine/random.ts";
import { planOf } from "../src/engine/session/openModel.ts";
import { tf } from "../src/engine/tf.ts";
import { craftImages } from "../src/engine/training/craft.ts";
import { createOptimizer, trainedWeights } from "../src/engine/training/optimizers.ts";
import { trainStep } from "../src/engine/training/step.ts";
import { Tally } from "../src/engine/training/tally.ts";
import { defaultTrain } from "../src/shared/experiment.ts";

const repeats = Number(process.env["REPEATS"] ?? 7);
const cases = [
  { model: lenet, shape: [28, 28, 1], batch: 100 },
  { model: resnet9, shape: [32, 32, 3], batch: 16 },
] as const;
const only = process.env["NETS"]?.split(",");
const strength = { eps: 0.1, steps: 10 };
const pairing = { kind: "adversarialLogitPairing" };
const arms = {
  standard: [],
  adversarialTraining: [{ id: "adversarialTraining", params: strength }],
  adversarialLogitPairing: [{ id: "adversarialLogitPairing", params: strength }],
  "attentionRectification over adversarialTraining": [{ id: "attentionRectification", params: strength }],
  "… alpha alone": [{ id: "attentionRectification", params: { ...strength, beta: 0 } }],
  "… beta alone": [{ id: "attentionRectification", params: { ...strength, alpha: 0 } }],
  "attentionRectification over adversarialLogitPairing": [{ id: "attentionRectification", params: { ...strength, base: pairing } }],
} as const;

/** Milliseconds of processor time. */
async function timed(body: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await body();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

function learnerOf({ model, shape, batch: n }: (typeof cases)[number], defenses: (typeof arms)[keyof typeof arms]) {
  const ctx = createContext({ seed: 1 });
  const plan = planOf(defenses, shape, 10);
  const network = plan.network(model.build(resolveParams(model.params, {}, model.id), { inputShape: shape, classes: 10, seed: 1 }));
  const contract = { input: {} };
  const weights = trainedWeights(network);
  const optimizer = createOptimizer(weights, defaultTrain);
  const classifier = classifierOf(network, { contract, outputs: "logits", plan, inputShape: shape, freeze: false });
  const images = createRandom(1).uniforms(n * shape[0] * shape[1] * shape[2]);
  const indices = Int32Array.from({ length: n }, (_, i) => i);
  const batch = { images, labels: indices.map((i) => i % 10), indices, n };
  const tally = new Tally();
  return {
    async craft(): Promise<Float32Array> {
      if (!plan.craft) throw new Error("crafts nothing");
      return craftImages(plan.craft, classifier, batch, "bench", ctx);
    },
    async step(crafted: Float32Array): Promise<void> {
      const o = { learningRate: 1e-6, masks: ctx.rng.stream("masks"), tally };
      const made = plan.craft ? { crafted } : {};
      const { loss, parts } = trainStep({ network, plan, contract, shape }, weights, optimizer, { ...batch, ...made }, o);
      await loss.data();
      await weights[0]?.variable.data();
      tf.dispose([loss, ...Object.values(parts)]);
    },
  };
}

async function main(): Promise<void> {
  const { device } = await useBackend("onnxruntime");
  const rows: Record<string, unknown>[] = [];
  for (const one of cases.filter(({ model }) => !only || only.includes(model.id))) {
    const learners = Object.entries(arms).map(([name, defenses]) => ({ name, learner: learnerOf(one, defenses), times: [] as number[] }));
    const crafting: number[] = [];
    const attacker = learners.find(({ name }) => name === "adversarialTraining");
    for (let i = -1; i < repeats; i++) {
      let crafted: Float32Array = new Float32Array();
      const time = await timed(async () => {
        crafted = (await attacker?.learner.craft()) ?? crafted;
      });
      if (i >= 0) crafting.push(time); // the first warms up
      for (const { learner, times } of learners) {
        const step = await timed(() => learner.step(crafted));
        if (i >= 0) times.push(step);
      }
    }
    rows.push({ model: one.model.id, batch: one.batch, crafting, arms: learners.map(({ name, times }) => ({ name, times })) });
  }
  console.log(JSON.stringify({ device, rows }));
}

void main();
