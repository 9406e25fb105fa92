import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops";
import { readFileSync } from "node:fs";
import path from "node:path";
import * as tfl from "@tensorflow/tfjs-layers";

/**
 * A saved model in `folder`, read by tfjs alone: no line of Bulwark between the file and the scores. The last layer of the models in
 * samples/ is linear.
 */
export async function plainModel(folder: string): Promise<tfl.LayersModel> {
  await tf.setBackend("cpu");
  const manifest = JSON.parse(readFileSync(path.join(folder, "model.json"), "utf8"));
  const weights = readFileSync(path.join(folder, "weights.bin"));
  return tfl.loadLayersModel({
    load: async () => ({
      modelTopology: manifest.modelTopology,
      weightSpecs: manifest.weightsManifest[0].weights,
      weightData: weights.buffer.slice(weights.byteOffset, weights.byteOffset + weights.byteLength),
    }),
  });
}
