import path from "node:path";
import { BulwarkError, type ErrorCode } from "../../shared/errors.ts";
import { markedEncoding, readBytes } from "./files.ts";

/**
 * Text whose encoding is certain: UTF-8, or UTF-16 with a byte-order mark. Bytes of another encoding would turn two names into one, so
 * they are refused. @throws DATASET_INVALID, FILE_NOT_FOUND, FILE_UNREADABLE
 */
export async function readStrictText(file: string): Promise<string> {
  return decodeText(await readBytes(file), path.basename(file));
}

/** The same from bytes; `name` is for messages, `code` for the error. */
export function decodeText(bytes: Uint8Array, name: string, code: ErrorCode = "DATASET_INVALID"): string {
  let text: string;
  try {
    text = new TextDecoder(markedEncoding(bytes), { fatal: true }).decode(bytes); // takes a byte-order mark off
  } catch (cause) {
    throw unknownEncoding(name, code, cause);
  }
  if (text.includes("\0")) throw unknownEncoding(name, code); // UTF-16 without its mark
  return text;
}

const unknownEncoding = (name: string, code: ErrorCode, cause?: unknown): BulwarkError =>
  new BulwarkError(code, `${name} is not UTF-8 text.`, 'Save it as UTF-8; spreadsheets call that "CSV UTF-8".', { cause });
