import path from "node:path";
import type { SkippedFile } from "../../define/index.ts";
import { openFile, readError } from "../../io/files.ts";
import { headBytes, type ImageFormat, imageFormat } from "../../io/format.ts";
import { isNoPicture, isPictureName } from "./pictureNames.ts";
import { inParallel } from "./walk.ts";

export interface SortedFiles {
  readonly pictures: readonly string[];
  readonly skipped: readonly SkippedFile[];
}

/** Which of the files are pictures, by their names or else by their first bytes. Names are relative to `root`. @throws FILE_UNREADABLE */
export async function sortFiles(root: string, files: readonly string[]): Promise<SortedFiles> {
  const unknown = files.filter((file) => !isPictureName(file) && !isNoPicture(file));
  if (unknown.length === 0) return { pictures: files.filter(isPictureName), skipped: [] };
  const formats = new Map<string, ImageFormat | null>();
  await inParallel(unknown, async (file) => {
    formats.set(file, imageFormat(await firstBytes(path.join(root, file))) ?? targa(file));
  });
  return {
    pictures: files.filter((file) => isPictureName(file) || formats.get(file)?.readable === true),
    skipped: unknown.flatMap((file) => {
      const format = formats.get(file);
      return format?.readable ? [] : [{ file, reason: format ? `${format.name} is not supported` : "not a picture" }];
    }),
  };
}

async function firstBytes(file: string): Promise<Uint8Array> {
  const handle = await openFile(file);
  try {
    const bytes = new Uint8Array(headBytes);
    const { bytesRead } = await handle.read(bytes, 0, headBytes, 0);
    return bytes.subarray(0, bytesRead);
  } catch (error) {
    throw readError(error, file);
  } finally {
    await handle.close();
  }
}

/** TGA has no mark at its start. */
const targa = (file: string): ImageFormat | null => (/\.tga$/i.test(file) ? { name: "TGA", readable: false } : null);
