import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import sharp from "sharp";
import { isInference } from "../../src/engine/define/index.ts";
import { fromBytes } from "../../src/engine/pixels.ts";
import { createRandom } from "../../src/engine/random.ts";
import { bind } from "../../src/engine/registry.ts";
import { type Images, tf } from "../../src/engine/tf.ts";
import type { Row, Work } from "./work.ts";

/** A defence in front of a model, on one photograph of 299×299 that is there as a tensor. */
export async function filters({ defense, root }: Row): Promise<Work> {
  const side = 299;
  const photograph = path.join(root, "media/samples/photos/pictures/cat/chelsea.jpg");
  const { data } = await sharp(photograph).resize(side, side).raw().toBuffer({ resolveWithObject: true });
  const folder = mkdtempSync(path.join(os.tmpdir(), "bulwark-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  const file = path.join(folder, "photograph.raw");
  writeFileSync(file, data);
  const x: Images = tf.tensor4d(fromBytes(data), [1, side, side, 3]);
  x.dataSync();
  const { entry, params, id } = bind("defense", defense);
  if (!isInference({ entry, params, id }) || entry.kind !== "inference") throw new Error(`${id} does not stand in front of a model`);
  const see = {
    get model(): never {
      throw new Error(`${id} looks at a model`);
    },
    random: (i: number) => createRandom(i),
  };
  const run = (): void => {
    const y = tf.tidy(() => entry.transform(x, params, see));
    y.dataSync();
    y.dispose();
  };
  return { facts: { file, side }, run };
}
