import { promises as fs } from "node:fs";
import path from "node:path";
import type { InputContract } from "../../shared/contract.ts";
import { temporaryName, writeError } from "../io/files.ts";
import { makeFolders } from "../io/makeFolders.ts";
import { tf, type tfl } from "../tf.ts";

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
  await writeTogether(directory, {
    "weights.bin": toBytes(artifacts.weightData),
    "model.bulwark.json": `${JSON.stringify({ ...contract, input: { mean: 0, scale: 255, ...contract.input } }, null, 2)}\n`,
    "model.json": JSON.stringify(model),
  });
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

async function writeTogether(directory: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  const staged = new Map(Object.keys(files).map((name) => [name, temporaryName(path.join(directory, name))]));
  try {
    makeFolders(directory);
    for (const [name, temporary] of staged) await fs.writeFile(temporary, files[name] as string | Uint8Array);
    for (const [name, temporary] of staged) await fs.rename(temporary, path.join(directory, name));
  } catch (error) {
    for (const temporary of staged.values()) await fs.rm(temporary, { force: true }).catch(() => undefined);
    throw writeError(error, directory);
  }
}
