import { copyFileSync, cpSync, existsSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { predictWithConfidence } from "../../../src/engine/harness/predict.ts";
import { checkModel } from "../../../src/engine/jobs/checkModel.ts";
import { inspectModel } from "../../../src/engine/jobs/inspectModel.ts";
import type { Random } from "../../../src/engine/random.ts";
import { openModel } from "../../../src/engine/session/openModel.ts";
import { BulwarkError } from "../../../src/shared/errors.ts";
import { damagedArchive, damagedBytes, damagedJson, jsonOr, oneOf } from "../damage.ts";
import type { Kind } from "../kind.ts";
import { onnxBytes, writeKeras, writeTfjs } from "../originals.ts";

/** As the model page and an attack open it: its outline, then its weights and one picture. */
async function openAll(file: string): Promise<void> {
  await inspectModel(file);
  const { classifier } = await openModel(file);
  try {
    const size = classifier.inputShape.reduce((a, b) => a * b, 1);
    if (size > 1e6) throw new BulwarkError("IMAGE_SIZE", "A picture of this size is not tried here.", "Nothing is to be done.");
    await predictWithConfidence(classifier, new Float32Array(size).fill(0.5));
  } finally {
    classifier.dispose();
  }
}

/** Places of weights that a manifest must not lead to, and some that it may. */
const places = [
  ...["../../../../etc/passwd", "/etc/passwd", "..\\..\\x", "link.bin", "linked/passwd", "weights.bin\u0000", "missing.bin"],
  ...[".", "", "./weights.bin", "x/../weights.bin"],
];

export const model: Kind = {
  name: "model",
  async prepare(originals) {
    await writeTfjs(originals);
    const whole = readFileSync(path.join(originals, "model.json"), "utf8");
    return {
      write(folder, random) {
        for (const name of ["weights.bin", "model.bulwark.json"]) copyFileSync(path.join(originals, name), path.join(folder, name));
        const json = random.integer(8) === 0 ? withPlaces(whole, random) : (random.integer(5) > 0 && damagedJson(whole, random)) || null;
        writeFileSync(path.join(folder, "model.json"), json ?? damagedBytes(Buffer.from(whole), random));
        symlinkSync("/etc/passwd", path.join(folder, "link.bin"));
        symlinkSync("/etc", path.join(folder, "linked"));
      },
      open: (folder) => openAll(path.join(folder, "model.json")),
    };
  },
};

function withPlaces(whole: string, random: Random): string {
  const json = JSON.parse(whole) as { weightsManifest: { paths: string[] }[] };
  for (const group of json.weightsManifest) group.paths = Array.from({ length: 1 + random.integer(2) }, () => oneOf(random, places));
  return JSON.stringify(json);
}

export const weights: Kind = {
  name: "weights",
  async prepare(originals) {
    await writeTfjs(originals);
    const whole = readFileSync(path.join(originals, "weights.bin"));
    return {
      write(folder, random) {
        cpSync(originals, folder, { recursive: true });
        const bytes = Uint8Array.from(whole);
        const odd = oneOf(random, [Number.NaN, Number.POSITIVE_INFINITY, -1e38, 1e-45]);
        if (random.integer(2) === 0) new DataView(bytes.buffer).setFloat32(4 * random.integer(bytes.length >> 2), odd, true);
        writeFileSync(path.join(folder, "weights.bin"), random.integer(2) === 0 ? bytes : damagedBytes(whole, random));
      },
      open: (folder) => openAll(path.join(folder, "model.json")),
    };
  },
};

export const contract: Kind = {
  name: "contract",
  async prepare(originals) {
    await writeTfjs(originals);
    const whole = {
      input: { size: [8, 8], channels: "rgb", layout: "nhwc", mean: [0, 0, 0], scale: 255, resize: "cover" },
      output: { kind: "logits", classes: ["a", "b", "c"] },
      defense: { id: "medianFilter", params: { window: 3 } },
    };
    return {
      write(folder, random) {
        cpSync(originals, folder, { recursive: true });
        writeFileSync(path.join(folder, "model.bulwark.json"), jsonOr(Buffer.from(JSON.stringify(whole)), random));
      },
      open: (folder) => openAll(path.join(folder, "model.json")),
    };
  },
};

export const onnx: Kind = {
  name: "onnx",
  async prepare() {
    const whole = onnxBytes();
    return {
      write: (folder, random) => writeFileSync(path.join(folder, "model.onnx"), damagedBytes(whole, random)),
      async open(folder) {
        const file = path.join(folder, "model.onnx");
        await checkModel({ model: file }, new AbortController().signal, () => undefined);
        await openAll(file);
      },
    };
  },
};

export const keras: Kind = {
  name: "keras",
  isSlow: true,
  async prepare(originals) {
    const files = await writeKeras(originals);
    return {
      async write(folder, random) {
        const original = oneOf(random, files);
        const file = path.join(folder, `model${path.extname(original)}`);
        if (original.endsWith(".keras") && random.integer(3) > 0) await damagedArchive(original, file, random);
        else writeFileSync(file, damagedBytes(readFileSync(original), random));
      },
      open: (folder) => openAll(path.join(folder, modelIn(folder))),
    };
  },
};

const modelIn = (folder: string): string => (existsSync(path.join(folder, "model.h5")) ? "model.h5" : "model.keras");
