import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll } from "vitest";
import { createContext } from "../../../../src/engine/context.ts";
import { type Dataset, type DatasetSpec, type Params, resolveParams } from "../../../../src/engine/define/index.ts";
import { toBytes } from "../../../../src/engine/pixels.ts";

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((folder) => fs.rm(folder, { recursive: true, force: true }))));

/** A folder that is removed after the tests of the file. */
export async function temporaryFolder(): Promise<string> {
  const folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-data-"));
  folders.push(folder);
  return folder;
}

const opened: Dataset[] = [];
export async function load(spec: DatasetSpec, params: Params): Promise<Dataset> {
  const dataset = await spec.load(resolveParams(spec.params, params, spec.id), createContext());
  opened.push(dataset);
  return dataset;
}
export const closeAll = async (): Promise<void> => {
  await Promise.all(opened.splice(0).map((dataset) => dataset.close()));
};

export const bytesOf = (images: Float32Array): number[] => [...toBytes(images)];

/** Writes files given by their relative names. */
export async function write(folder: string, files: Readonly<Record<string, string | Uint8Array>>): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    await fs.mkdir(path.dirname(path.join(folder, name)), { recursive: true });
    await fs.writeFile(path.join(folder, name), content);
  }
}
