import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, expect } from "vitest";
import { loadNetwork } from "../../../../../src/engine/importers/index.ts";
import type { InputContract } from "../../../../../src/shared/contract.ts";
import { type Contents, hdf5Bytes } from "./contents.ts";

export interface KerasFiles {
  /** A new folder. */
  folder(): Promise<string>;
  write(name: string, bytes: Uint8Array, contract?: InputContract): Promise<string>;
  /** An `.h5` file with these contents. */
  writeHdf5(contents: Contents): Promise<string>;
}
/** Files of the test at hand, in a folder that is there while its tests run. */
export function kerasFiles(): KerasFiles {
  let folder = "";
  beforeAll(async () => {
    folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-test-keras-"));
  });
  afterAll(() => fs.rm(folder, { recursive: true }));
  const inFolder = () => fs.mkdtemp(path.join(folder, "model-"));
  const write: KerasFiles["write"] = async (name, bytes, contract) => {
    const file = path.join(await inFolder(), name);
    await fs.writeFile(file, bytes);
    if (contract) await fs.writeFile(file.replace(/\.\w+$/, ".bulwark.json"), JSON.stringify(contract));
    return file;
  };
  return { folder: inFolder, write, writeHdf5: async (contents) => write("model.h5", await hdf5Bytes(contents)) };
}

/** Numbers that agree to five decimals. */
export function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found).toHaveLength(expected.length);
  for (const [i, value] of expected.entries()) expect(found[i]).toBeCloseTo(value, 5);
}

/** Loading fails with this error, and it says what to do. */
export const expectRefused = (file: string, code: string, message: RegExp): Promise<void> =>
  expect(loadNetwork(file)).rejects.toMatchObject({ code, message: expect.stringMatching(message), fix: expect.any(String) });
