import { readArtifacts } from "./artifacts.ts";
import { buildNetwork } from "./build.ts";
import { checkFinite } from "./finite.ts";
import type { ModelFile } from "./modelFile.ts";
import { normalise } from "./topology/index.ts";

/** A TensorFlow.js layers model. @throws MODEL_INVALID, MODEL_NAN, FILE_NOT_FOUND */
export async function openTfjs(file: string): Promise<ModelFile> {
  const artifacts = await readArtifacts(file);
  checkFinite(artifacts, file);
  return {
    format: "tfjs-layers",
    metadata: artifacts.metadata,
    sha256: async () => artifacts.sha256,
    normalise: (contract, size) => normalise(artifacts.topology, artifacts.specs, contract, { file, size }),
    build: (topology) => buildNetwork(topology, artifacts, file),
    close: () => {},
  };
}
