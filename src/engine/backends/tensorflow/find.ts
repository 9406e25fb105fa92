import path from "node:path";
import { runtimePart } from "../../../shared/gpuRuntime.ts";
import { resolveFile, runtimeDirectory } from "../paths.ts";

/** The version that matches our tfjs-core, and the last one there is. */
export const pinnedVersion = runtimePart("tensorflow").version;
const packages = ["@tensorflow/tfjs-node-gpu", "@tensorflow/tfjs-node"] as const;

/** One installed copy of native TensorFlow. */
export interface TensorflowPackage {
  readonly id: (typeof packages)[number];
  /** What `require` loads. */
  readonly file: string;
  /** Folder from which it was found: the folder the engine works in, or the one that “Install GPU Runtime” fills. */
  readonly place: string;
  readonly installedByCommand: boolean;
  /** The build for NVIDIA GPUs. */
  readonly gpu: boolean;
}

/** Every native TensorFlow that can be found, GPU builds first; of each the workspace's copy before the one the command installed. */
export function findTensorflow(directory = process.cwd(), runtime = runtimeDirectory("tensorflow")): TensorflowPackage[] {
  const places = [{ place: directory, installedByCommand: false }];
  if (runtime !== undefined) places.push({ place: runtime, installedByCommand: true });
  const found = packages.flatMap((id) =>
    places.flatMap(({ place, installedByCommand }) => {
      const file = resolveFile(id, place);
      return file === undefined ? [] : [{ id, file: path.normalize(file), place, installedByCommand, gpu: id.endsWith("-gpu") }];
    }),
  );
  return found.filter(({ file }, index) => found.findIndex((other) => other.file === file) === index);
}
