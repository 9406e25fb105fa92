import { volumizedCurriculum } from "../../src/engine/defenses/volumizedCurriculum.ts";
import { resolveParams, type TrainingPlan } from "../../src/engine/define/index.ts";
import { createRandom } from "../../src/engine/random.ts";
import { tf } from "../../src/engine/tf.ts";
import { createOptimizer, trainedWeights } from "../../src/engine/training/optimizers.ts";
import { plainPlan } from "../../src/engine/training/plan.ts";
import { trainStep } from "../../src/engine/training/step.ts";
import { Tally } from "../../src/engine/training/tally.ts";
import { defaultTrain } from "../../src/shared/experiment.ts";
import { newNetwork, noise, volumeShape } from "./nets.ts";
import type { Row, Work } from "./work.ts";

/** Slices of the 3-D variants. */
const patchOf: Readonly<Record<string, number>> = { lenet: 14, resnet9: 8 };

/** One batch through the training loop's own step: images into tensors, volumes made of them where the network is 3-D, loss read. */
export async function training(row: Row): Promise<Work> {
  const base = row.net.replace("3d", "");
  const isVolumized = base !== row.net && base in patchOf;
  const { network: flat, inputShape } = newNetwork(isVolumized ? base : row.net);
  const plan = isVolumized ? volumized(patchOf[base] as number, inputShape) : row.net === "cnn3d" ? volumes : plainPlan;
  const network = plan.network(flat);
  const weights = trainedWeights(network);
  const optimizer = createOptimizer(weights, { ...defaultTrain, optimizer: row.optimizer, momentum: 0.9 });
  const learner = { network, plan, contract: { input: {} }, shape: inputShape };
  const size = row.micro ?? row.batch;
  const batch = noise(size, inputShape, 10);
  const tally = new Tally();
  const masks = createRandom("masks");
  return {
    run: async () => {
      for (let done = 0; done < row.batch; done += size) {
        const { loss, parts } = trainStep(learner, weights, optimizer, batch, { learningRate: 1e-4, masks, tally });
        await loss.data();
        tf.dispose([loss, ...Object.values(parts)]);
      }
    },
  };
}

/** cnn3d takes volumes; they come as the rows of one tall image. */
const volumes: TrainingPlan = { ...plainPlan, prepare: (x) => tf.reshape(x, [x.shape[0], ...volumeShape]) };

function volumized(patch: number, inputShape: readonly [number, number, number]): TrainingPlan {
  const params = resolveParams(volumizedCurriculum.params, { patch, kernelDepth: 3 }, volumizedCurriculum.id);
  return volumizedCurriculum.plan(plainPlan, params, { inputShape, classes: 10 });
}
