import { type Artifacts, type Header, readHeader, readWeights, specsOf } from "./artifacts.ts";
import { buildNetwork, outlineNetwork } from "./build.ts";
import { checkFinite } from "./finite.ts";
import { openGraphModel } from "./graphModel/index.ts";
import type { ModelFile, Watch } from "./modelFile.ts";
import { normalise } from "./topology/index.ts";

/**
 * A TensorFlow.js layers model or graph model. Weights are read only when the network is built.
 * @throws MODEL_INVALID, FILE_NOT_FOUND; for a graph also MODEL_TOO_LARGE
 */
export async function openTfjs(file: string): Promise<ModelFile> {
  const header = await readHeader(file);
  return header.isGraph ? openGraphModel(file, header) : openLayersModel(file, header);
}

function openLayersModel(file: string, header: Header): ModelFile {
  let reading: Promise<Artifacts> | undefined;
  const artifacts = (watch?: Watch): Promise<Artifacts> => {
    reading ??= readWeights(header, watch);
    return reading;
  };
  const whole = async (watch?: Watch): Promise<Artifacts> => {
    const read = await artifacts(watch);
    checkFinite(read, file);
    return read;
  };
  return {
    format: "tfjs-layers",
    metadata: header.metadata,
    sha256: async () => (await artifacts()).sha256,
    normalise: (contract, size) => normalise(header.topology, specsOf(header), contract, { file, size }),
    build: async (topology, { wants, watch } = {}) =>
      wants ? outlineNetwork(topology, header, file, wants) : buildNetwork(topology, await whole(watch), file),
    close: () => {},
  };
}
