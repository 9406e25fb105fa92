import type { InputContract } from "../../../shared/contract.ts";
import { BulwarkError } from "../../../shared/errors.ts";
import { plural } from "../../../shared/format.ts";
import { requireGradients } from "../../classifier/forwardOnly.ts";
import { documented } from "../../define/index.ts";
import { hashOfModel, type LoadedNetwork, loadNetwork } from "../../importers/index.ts";
import { Affine } from "../../models/layers/index.ts";
import type { tfl } from "../../tf.ts";
import type { ResolvedArm, ResolvedFile } from "../arms.ts";
import type { RunEnvironment } from "../environment.ts";

/** The 2-D network that an arm's training begins with. */
export interface Trainee {
  /** What it follows from: equal ones give equal networks. */
  readonly identity: unknown;
  /** The caller disposes the network. */
  build(): Promise<Built>;
}
export interface Built {
  readonly network: tfl.LayersModel;
  readonly input: InputContract["input"];
  readonly note?: string | undefined;
}

export async function traineeOf(arm: ResolvedArm, env: RunEnvironment): Promise<Trainee> {
  const { inputShape, classes } = env.data;
  const { model } = arm;
  if ("file" in model) {
    const sha256 = await hashOfModel(model.file);
    return { identity: { sha256, input: model.input }, build: () => fromFile(arm.name, model, env) };
  }
  return {
    identity: documented(model),
    build: async () => ({
      network: model.entry.build(model.params, { inputShape, classes, seed: arm.seed }),
      input: {},
    }),
  };
}

async function fromFile(arm: string, { file, input }: ResolvedFile, env: RunEnvironment): Promise<Built> {
  const loaded = await loadNetwork(file, input ?? undefined);
  try {
    checkTrainable(loaded, `${arm}: the model ${file}`, env);
  } catch (thrown) {
    loaded.network.dispose();
    throw thrown;
  }
  return { network: loaded.network, input: loaded.contract.input, note: aboutConstants(loaded.network) };
}

/** Exporters write a batch normalisation as constants: what its statistics were is not known any more. */
function aboutConstants({ layers }: tfl.LayersModel): string | undefined {
  const affine = layers.filter((layer) => layer instanceof Affine && layer.trainable).length;
  if (affine === 0) return undefined;
  return `${plural(affine, "layer")} Affine multiply or add numbers of the file, such as a batch normalisation without its statistics: they are trained as weights`;
}

/** @throws BulwarkError MODEL_FORWARD_ONLY, MODEL_INVALID, IMAGE_SIZE */
function checkTrainable(loaded: LoadedNetwork, model: string, env: RunEnvironment): void {
  const { network, contract, outputs } = loaded;
  requireGradients(loaded, "Training");
  const refuse = (what: string, fix: string) => new BulwarkError("MODEL_INVALID", `${model} ${what}.`, fix);
  const defense = [contract.defense ?? []].flat().find(({ id }) => id !== "standard");
  if (defense) throw refuse(`is defended by ${defense.id} already`, "Name the file of the network that it was made from.");
  if (outputs === "probabilities")
    throw refuse("gives probabilities, and training needs the scores before its softmax", "Save the model without the softmax.");
  const { inputShape, classes } = env.data;
  const size = (network.inputs[0]?.shape ?? []).slice(1);
  const inner = contract.input.layout === "nchw" ? [...size.slice(1), size[0]] : size;
  if (inner.some((side, i) => typeof side === "number" && side !== inputShape[i]))
    throw new BulwarkError(
      "IMAGE_SIZE",
      `${model} takes images of ${inner.join("×")}, the data set has ${inputShape.join("×")}.`,
      "Choose a data set of that size, or set the data set's size.",
    );
  const scores = network.outputs[0]?.shape.at(-1);
  if (scores !== classes)
    throw refuse(`gives ${scores} scores, the data set has ${classes} classes`, "Use a model and a data set of the same classes.");
}
