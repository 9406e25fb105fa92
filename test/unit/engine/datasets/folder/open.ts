import path from "node:path";
import { imageFolder } from "../../../../../src/engine/datasets/imageFolder.ts";
import type { Dataset } from "../../../../../src/engine/define/index.ts";
import { load, temporaryFolder, write } from "../helpers.ts";
import { png } from "./pictures.ts";

type Files = Readonly<Record<string, string | Uint8Array>>;
let root: Promise<string> | undefined;
let count = 0;

/** A new folder with these files; of `pictures` each is a small PNG. */
export async function folder(pictures: readonly string[], files: Files = {}): Promise<string> {
  root ??= temporaryFolder();
  const where = path.join(await root, String(count++));
  const entries = await Promise.all(pictures.map(async (name, i) => [name, await png(i)] as const));
  await write(where, { ...Object.fromEntries(entries), ...files });
  return where;
}
export const open = async (pictures: readonly string[], files: Files = {}, params = {}): Promise<Dataset> =>
  load(imageFolder, { path: await folder(pictures, files), ...params });

/** Class name of every test image by file name. */
export async function classes(data: Dataset): Promise<Record<string, string>> {
  const places = Array.from({ length: data.size("test") }, (_, i) => i);
  const files = (await data.identify?.("test", places)) ?? [];
  return Object.fromEntries(files.map(({ file }, i) => [file, data.classNames[data.labels("test")[i] as number] as string]));
}
