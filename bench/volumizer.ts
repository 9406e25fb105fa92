// What volumizing costs beside the network that consumes the volume, per measure and patch. Prints one JSON document.
import { freeze, useBackend } from "../src/engine/backends/index.ts";
import { runNetwork } from "../src/engine/classifier/graph.ts";
import { measures } from "../src/engine/measures/all.ts";
import { createRandom } from "../src/engine/random.ts";

import { type Images, tf } from "../src/engine/tf.ts";
import { presets } from "../src/engine/volumizer/presets.ts";
import { volumize } from "../src/engine/volumizer/volumize.ts";
import { batch, cases, fastest, volumizedNetwork } from "./volumes.ts";

async function main(): Promise<void> {
  const { device } = await useBackend("onnxruntime");
  const rows: Record<string, unknown>[] = [];
  for (const { model, inputShape, patch, kernelDepth } of cases) {
    const network = volumizedNetwork(model, { inputShape, patch, kernelDepth });
    const thaw = freeze(network);
    // Noise of 256 levels is the dearest picture there is: no two values of a slice need be equal.
    const pixels = createRandom(1).uniforms(batch * inputShape.reduce((a, b) => a * b, 1));
    const x: Images = tf.tensor4d(pixels, [batch, ...inputShape]);
    const { volume } = volumize(x, { ...presets.paper, patch });
    volume.dataSync();
    const forward = fastest(() => tf.tidy(() => void runNetwork(network, volume).dataSync()), 1);
    const timed = measures.map((measure) => {
      const body = (): void => tf.tidy(() => void volumize(x, { ...presets.paper, measure, patch }).volume.dataSync());
      return [measure.id, fastest(body, 4)] as const;
    });
    const Z = volume.shape[1];
    rows.push({ model: model.id, patch, Z, kernelDepth: kernelDepth || Z, forward, measures: Object.fromEntries(timed) });
    thaw();
    tf.dispose([x, volume]);
    network.dispose();
  }
  console.log(JSON.stringify({ device, batch, rows }));
}

void main();
