import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { readBytes } from "./files.ts";

/**
 * Text whose encoding is certain: UTF-8, or UTF-16 with a byte-order mark. Bytes of another encoding would turn two names into one, so
 * they are refused. @throws DATASET_INVALID, FILE_NOT_FOUND, FILE_UNREADABLE
 */
export async function readStrictText(file: string): Promise<string> {
  return decodeText(await readBytes(file), path.basename(file));
}

/** The same from bytes; `name` is for messages. */
export function decodeText(bytes: Uint8Array, name: string): string {
  const [first, second] = bytes;
  const encoding = first === 0xff && second === 0xfe ? "utf-16le" : first === 0xfe && second === 0xff ? "utf-16be" : "utf-8";
  let text: string;
  try {
    text = new TextDecoder(encoding, { fatal: true }).decode(bytes); // takes a byte-order mark off
  } catch (cause) {
    throw unknownEncoding(name, cause);
  }
  if (text.includes("\0")) throw unknownEncoding(name); // UTF-16 without its mark
  return text;
}

const unknownEncoding = (name: string, cause?: unknown): BulwarkError =>
  new BulwarkError("DATASET_INVALID", `${name} is not UTF-8 text.`, 'Save it as UTF-8; spreadsheets call that "CSV UTF-8".', { cause });
