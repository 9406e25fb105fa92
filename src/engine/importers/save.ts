import type { InputContract } from "../../shared/contract.ts";
import { writeTogether } from "../io/files.ts";
import { tf, type tfl } from "../tf.ts";

/** What a saved network consists of. */
export const modelFiles = ["weights.bin", "model.bulwark.json", "model.json"] as const;

/**
 * Saves a network as `model.json`, `weights.bin` and `model.bulwark.json` in `directory`; the contract names its input range. All three are written aside first and then
 * renamed, so that a full disk leaves an earlier model as it was. @throws DISK_FULL, NOT_WRITABLE
 */
export async function saveNetwork(network: tfl.LayersModel, directory: string, contract: InputContract): Promise<void> {
  const artifacts = await artifactsOf(network);
  const { modelTopology, weightSpecs = [], generatedBy } = artifacts;
  const model = {
    format: "layers-model",
    generatedBy: generatedBy ?? null,
    convertedBy: null,
    modelTopology,
    weightsManifest: [{ paths: ["weights.bin"], weights: weightSpecs }],
  };
  const files: Readonly<Record<(typeof modelFiles)[number], string | Uint8Array>> = {
    "weights.bin": toBytes(artifacts.weightData),
    "model.bulwark.json": `${JSON.stringify({ ...contract, input: { mean: 0, scale: 255, ...contract.input } }, null, 2)}\n`,
    "model.json": JSON.stringify(model),
  };
  await writeTogether(directory, files);
}

async function artifactsOf(network: tfl.LayersModel): Promise<tf.io.ModelArtifacts> {
  let saved: tf.io.ModelArtifacts | undefined;
  await network.save(
    tf.io.withSaveHandler(async (artifacts) => {
      saved = artifacts;
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: "JSON" } };
    }),
  );
  if (!saved) throw new Error("the network was not saved");
  return saved;
}

function toBytes(data: tf.io.WeightData | undefined): Uint8Array {
  if (!data) return new Uint8Array();
  return Array.isArray(data) ? Buffer.concat(data.map((part) => new Uint8Array(part))) : new Uint8Array(data);
}
