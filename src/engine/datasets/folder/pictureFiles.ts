import { open } from "node:fs/promises";
import path from "node:path";
import type { SkippedFile } from "../../define/index.ts";
import { readError } from "../../io/files.ts";
import { headBytes, type ImageFormat, imageFormat } from "../../io/format.ts";
import { inParallel } from "./walk.ts";

/** Endings of pictures that the decoder takes: such files are taken without a look into them, which would be slow on a network drive. */
const pictureName = /\.(png|jpe?g|jpe|jfif|webp|bmp|dib|gif|tiff?|avif)$/i;
/** What lies beside pictures and is none: passed over silently. */
const otherName =
  /(^|\/)(readme|license|licence|copying|thumbs\.db|desktop\.ini)$|\.(txt|csv|tsv|json|jsonc|jsonl|xml|html?|md|ya?ml|toml|ini|log|py|ipynb|sh|pdf|docx?|xlsx?|zip|gz|tgz|tar|rar|7z|mat|npy|npz|pkl|h5|hdf5|lst|names|db|onnx|pb|bulwark)$/i;

export const isPictureName = (file: string): boolean => pictureName.test(file);
export const isNoPicture = (file: string): boolean => otherName.test(file);

export interface SortedFiles {
  readonly pictures: readonly string[];
  readonly skipped: readonly SkippedFile[];
  /** Files that are known to be no pictures by their names. */
  readonly passedOver: number;
}

/** Which of the files are pictures, by their names or else by their first bytes. Names are relative to `root`. @throws FILE_UNREADABLE */
export async function sortFiles(root: string, files: readonly string[]): Promise<SortedFiles> {
  const unknown = files.filter((file) => !isPictureName(file) && !isNoPicture(file));
  const formats = new Map<string, ImageFormat | null>();
  await inParallel(unknown, async (file) => {
    formats.set(file, imageFormat(await firstBytes(path.join(root, file))) ?? targa(file));
  });
  const isTaken = (file: string): boolean => isPictureName(file) || formats.get(file)?.readable === true;
  return {
    pictures: files.filter(isTaken),
    skipped: unknown.flatMap((file) => {
      const format = formats.get(file);
      return format?.readable ? [] : [{ file, reason: format ? `${format.name} is not supported` : "not a picture" }];
    }),
    passedOver: files.length - unknown.length - files.filter(isPictureName).length,
  };
}

async function firstBytes(file: string): Promise<Uint8Array> {
  const handle = await open(file, "r").catch((error: unknown) => {
    throw readError(error, file);
  });
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
