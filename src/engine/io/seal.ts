import { createHash } from "node:crypto";

const length = 32;
const sha256 = (data: string | Uint8Array): Buffer => createHash("sha256").update(data).digest();

/** The bytes with their SHA-256 behind them. */
export const sealed = (bytes: Uint8Array): Uint8Array => Buffer.concat([bytes, sha256(bytes)]);

/** The bytes that were sealed; null where they are not those any more, such as after a disk has lost a bit. */
export function unsealed(bytes: Uint8Array): Uint8Array | null {
  const content = bytes.subarray(0, -length);
  return bytes.length > length && sha256(content).equals(bytes.subarray(-length)) ? content : null;
}

const sumOf = (document: object): string => sha256(JSON.stringify(document)).toString("hex");

/** A document with the SHA-256 of its JSON text as its last field. */
export const withSum = <T extends object>(document: T): T & { readonly sum: string } => ({ ...document, sum: sumOf(document) });

/** Whether a document that was read is the one that `withSum` wrote. One without a sum is of an older version: nothing is known of it. */
export function isAsWritten(document: object): boolean {
  if (!("sum" in document)) return true;
  const { sum, ...rest } = document;
  return sum === sumOf(rest);
}
