import { readdir, stat } from "node:fs/promises";
import path from "node:path";
import type { InputContract } from "../../shared/contract.ts";
import type { Classifier } from "../classifier/classifier.ts";
import { openModel } from "./openModel.ts";

const capacity = 4;

/** Open models by path. A file that changed on disk is loaded again; the least recently used model is closed to make room. */
export class ModelCache {
  readonly #open = new Map<string, { readonly signature: string; readonly classifier: Classifier }>();

  readonly #contract: InputContract | undefined;

  /** @param contract replaces those beside the models */
  constructor(contract?: InputContract) {
    this.#contract = contract;
  }

  /** @throws what `openModel` throws */
  async open(model: string): Promise<Classifier> {
    const key = path.resolve(model);
    const signature = await signatureOf(key);
    const kept = this.#open.get(key);
    this.#open.delete(key);
    if (kept && kept.signature === signature) {
      this.#open.set(key, kept);
      return kept.classifier;
    }
    kept?.classifier.dispose();
    const { classifier } = await openModel(key, { contract: this.#contract });
    this.#open.set(key, { signature, classifier });
    const [oldest] = this.#open;
    if (this.#open.size > capacity && oldest) {
      oldest[1].classifier.dispose();
      this.#open.delete(oldest[0]);
    }
    return classifier;
  }
}

/** Sizes and times of the files of a model and of the lists beside it: changes whenever weights, contract or class names may have. */
async function signatureOf(model: string): Promise<string> {
  const facts = async (file: string): Promise<string> => {
    const found = await stat(file).catch(() => null);
    return found?.isFile() ? `${file}:${found.size}:${found.mtimeMs}` : "";
  };
  const isFile = (await facts(model)) !== "";
  const directory = isFile ? path.dirname(model) : model;
  const folders = isFile ? [directory] : [directory, path.join(directory, "model")];
  const files = await Promise.all(
    folders.map(async (folder) => (await readdir(folder).catch(() => [])).map((name) => path.join(folder, name))),
  );
  const modelFiles = files.flat().filter((file) => /\.(json|txt|bin|onnx|h5|keras)$/i.test(file) || /shard/.test(file));
  return (await Promise.all(modelFiles.map(facts))).join("|");
}
