import path from "node:path";
import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../../shared/errors.ts";
import { natural, type Shape, text } from "../../../shared/shapes.ts";
import type { ModelFacts, Params, Preparation } from "../../define/index.ts";
import { exists, writeAtomic } from "../../io/files.ts";
import { readNpz, writeNpz } from "../../io/npz.ts";
import { readShaped } from "../../io/readShaped.ts";
import { tf } from "../../tf.ts";
import { substituteNetwork } from "./network.ts";
import { hashOf, queriesOf, type Substitute, type SubstituteSettings, trainSubstitute } from "./substitute.ts";

/** The parameters of the attack: its schema holds these names and types. */
const settings = (params: Params): SubstituteSettings => params as unknown as SubstituteSettings;

/** What is kept of a substitute beside its weights, which are "0", "1", … of the `.npz`. */
interface SavedSubstitute {
  readonly key: string;
  readonly queries: number;
}

const savedSubstitute: Shape<SavedSubstitute> = Type.Object({ key: text, queries: natural });

/** Values that the images of a substitute may hold: 1 GB. */
const mostValues = 2 ** 28;

/** @throws PARAMETER_INVALID for images that would not fit into memory */
export function refuseSize(p: SubstituteSettings, { inputShape: [height, width, channels] }: Pick<ModelFacts, "inputShape">): void {
  if (queriesOf(p) * height * width * channels <= mostValues) return;
  throw new BulwarkError(
    "PARAMETER_INVALID",
    `blackBox: ${p.initialImages} images, doubled ${p.augmentations} times, are ${queriesOf(p)} of ${height}×${width}, more than 1 GB.`,
    'Use fewer "initialImages" or "augmentations".',
  );
}

/** A substitute for the model that is attacked, which is asked for labels alone. `<stem>.npz` and `<stem>.json`. */
export const substitutePreparation: Preparation<Substitute> = {
  noun: "substitute",
  origin: () => "whitebox",
  decisive: (params) => {
    const { initialImages, augmentations, epochs, lambda } = settings(params);
    return { initialImages, augmentations, epochs, lambda };
  },
  evaluations: (params) => ({ forward: queriesOf(settings(params)), gradient: 0 }),
  async make(model, images, params, ctx) {
    const p = settings(params);
    refuseSize(p, model);
    if (images.size < p.initialImages)
      throw new BulwarkError(
        "PARAMETER_INVALID",
        `blackBox: the substitute begins with ${p.initialImages} images, and there ${images.size === 1 ? "is" : "are"} ${images.size}.`,
        'Name a data set that has more, or use fewer "initialImages".',
      );
    return trainSubstitute(model, images, p, ctx);
  },
  async save({ network, queries }, folder, stem, { key }) {
    const weights = network.getWeights();
    const arrays = await Promise.all(
      weights.map(async (weight, i) => [i, { data: Float32Array.from(await weight.data()), shape: weight.shape }] as const),
    );
    await writeNpz(path.join(folder, `${stem}.npz`), Object.fromEntries(arrays));
    const saved: SavedSubstitute = { key, queries };
    await writeAtomic(path.join(folder, `${stem}.json`), JSON.stringify(saved));
    return [`${stem}.npz`, `${stem}.json`];
  },
  async load(folder, stem, { inputShape, classes }, key) {
    const file = path.join(folder, `${stem}.json`);
    if (!(await exists(file))) return null;
    const saved = await readShaped(file, savedSubstitute, "Delete it: the substitute will be trained again.");
    if (key !== undefined && saved.key !== key) return null;
    const arrays = await readNpz(path.join(folder, `${stem}.npz`));
    const network = substituteNetwork(inputShape, classes, 0);
    const weights = network.getWeights().map((weight, i) => tf.tensor(arrays[String(i)]?.data as Float32Array, weight.shape));
    network.setWeights(weights);
    tf.dispose(weights);
    return { network, queries: saved.queries, hash: await hashOf(network) };
  },
  facts: ({ hash, queries }) => ({ hash, gradientEvaluations: 0, queries }),
  summary: ({ queries }) => ({ queries }),
  dispose: ({ network }) => void network.dispose(),
};
