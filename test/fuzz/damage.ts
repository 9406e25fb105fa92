// How what is whole gets damaged: bytes, JSON, archives. All of it is drawn from one seeded generator.
import { open } from "node:fs/promises";
import { readZip } from "../../src/engine/io/unzip.ts";
import { ZipWriter } from "../../src/engine/io/zip.ts";
import type { Random } from "../../src/engine/random.ts";

/** One of a list. */
export const oneOf = <T>(random: Random, list: readonly T[]): T => list[random.integer(list.length)] as T;

/** Bytes in which most of the structure stands: at both ends in these formats, and around the JSON in HDF5. Weights hardly matter. */
function structureOf(whole: Uint8Array, random: Random): readonly [number, number] {
  const json = Buffer.from(whole.buffer, whole.byteOffset, whole.length).indexOf('"class_name"');
  const starts = [0, Math.max(0, whole.length - 4096), ...(json < 0 ? [] : [Math.max(0, json - 1024)])];
  const start = starts[random.integer(starts.length)] as number;
  return [start, Math.min(whole.length, start + 4096)];
}

/** Cut off, changed in some bytes, with a stretch removed, repeated or moved, or with extreme numbers. */
export function damagedBytes(whole: Uint8Array, random: Random): Uint8Array {
  const at = (): number => random.integer(whole.length);
  const [from, to] = [at(), at()].sort((a, b) => a - b) as [number, number];
  const end = Math.min(to, from + 64);
  const bytes = Uint8Array.from(whole);
  const [low, high] = structureOf(whole, random);
  const within = (): number => low + random.integer(high - low);
  switch (random.integer(7)) {
    case 0:
      return whole.subarray(0, from);
    case 1:
      return Uint8Array.from([...whole.subarray(0, from), ...whole.subarray(end)]);
    case 2:
      return Uint8Array.from([...whole.subarray(0, end), ...whole.subarray(from)]);
    case 3: {
      const start = random.integer(2) === 0 ? from : within();
      bytes.fill(random.integer(2) === 0 ? 0 : 255, start, Math.min(start + 1 + random.integer(8), bytes.length));
      return bytes;
    }
    case 4:
    case 5:
      for (let i = 0; i < 1 + random.integer(4); i++) bytes[within()] = random.integer(256);
      return bytes;
    default:
      for (let i = 0; i < 1 + random.integer(8); i++) bytes[at()] = random.integer(256);
      return bytes;
  }
}

const nested = (depth: number): unknown => (depth === 0 ? [] : [nested(depth - 1)]);

/** What a reader may not expect, or must not believe: sizes, paths, markup, formulas, names that every object has. */
export const extremes: readonly unknown[] = [
  ...[null, true, -1, 0, 0.5, 1e9, 2 ** 53, -(2 ** 31), 1e308],
  ...["", "x".repeat(5000), "a\u0000b", "\ud800", "=1+1", "NaN"],
  ...["../../x", "/etc/passwd", "C:\\Windows\\x", "link"],
  ...["<script>alert(1)</script>", '"><svg onload=alert(1)>', "<img src=x onerror=alert(1)>"],
  ...["__proto__", "constructor", "toString"],
  ...[[], {}, [[]], [null], [0, 0, 0, 0], [-1, -1], [1e9, 1e9], { kind: "constructor" }, { length: 1e9 }, { toString: 1 }, nested(60)],
];

/** A copy, since it may be damaged in turn. */
const extreme = (random: Random): unknown => structuredClone(oneOf(random, extremes));

const factors = [-1, 2, 1000, 0.5];

/** Every place in a JSON value that holds something: its owner and key. */
function placesIn(value: unknown, found: [Record<string, unknown>, string][] = []): [Record<string, unknown>, string][] {
  if (typeof value !== "object" || value === null) return found;
  const owner = value as Record<string, unknown>;
  for (const key of Object.keys(owner)) {
    found.push([owner, key]);
    placesIn(owner[key], found);
  }
  return found;
}

/** A JSON text with some of its values gone, replaced, exchanged or repeated; null where the text is none. */
export function damagedJson(text: string, random: Random): string | null {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return null;
  }
  return JSON.stringify(damagedValue(json, random));
}

const strangeKeys = ["__proto__", "constructor", "extra", "kind", "toString"];

/** A JSON value, changed in place, with some of its parts gone, replaced, exchanged or repeated. */
export function damagedValue<T>(json: T, random: Random): T {
  for (let i = 0; i < 1 + random.integer(2); i++) {
    const places = placesIn(json);
    const [owner, key] = places[random.integer(places.length)] ?? [{}, ""];
    const [other, otherKey] = places[random.integer(places.length)] ?? [{}, ""];
    const kind = random.integer(6);
    if (kind === 0) delete owner[key];
    else if (kind === 5) Object.defineProperty(owner, oneOf(random, strangeKeys), { ...plain, value: extreme(random) });
    else if (kind === 1) owner[key] = structuredClone(other[otherKey]);
    else if (kind === 2 && Array.isArray(owner)) owner.push(structuredClone(owner[Number(key)]));
    else if (kind === 3 && typeof owner[key] === "number") owner[key] = (owner[key] as number) * oneOf(random, factors);
    else owner[key] = extreme(random);
  }
  return json;
}
const plain = { enumerable: true, writable: true, configurable: true };

/** JSON damaged as such, and now and then as mere bytes. */
export const jsonOr = (bytes: Uint8Array, random: Random): Uint8Array => {
  const text = random.integer(4) === 0 ? null : damagedJson(Buffer.from(bytes).toString("utf8"), random);
  return text === null ? damagedBytes(bytes, random) : Buffer.from(text);
};

/** Writes an archive that is whole, with one of its members damaged. */
export async function damagedArchive(original: string, file: string, random: Random): Promise<void> {
  const [source, target] = [await open(original), await open(file, "w")];
  try {
    const zip = new ZipWriter(target);
    const entries = await readZip(source);
    const chosen = random.integer(entries.length);
    for (const [i, entry] of entries.entries()) {
      const bytes = await entry.read();
      const written = i !== chosen ? bytes : entry.name.endsWith(".json") ? jsonOr(bytes, random) : damagedBytes(bytes, random);
      await zip.add(entry.name, written.length, [written]);
    }
    await zip.finish();
  } finally {
    await source.close();
    await target.close();
  }
}
