import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { readText } from "../io/files.ts";

/** Beside a model that Bulwark has trained: what it was made of, how the training went, and the model's SHA-256. */
export const trainingFile = "training.json";

/** @throws MODEL_INVALID where a model that was trained here is not what the training left: a disk, a copy or a person has changed it since */
export async function requireAsTrained(file: string, sha256: string): Promise<void> {
  const trained = await recordedHash(path.join(path.dirname(file), trainingFile));
  if (trained === undefined || trained === sha256) return;
  throw new BulwarkError(
    "MODEL_INVALID",
    `${file} or its weights have changed since training: they are damaged or were replaced.`,
    `Run the training command again to recreate it, or delete ${trainingFile} beside it if you replaced it on purpose.`,
  );
}

async function recordedHash(file: string): Promise<string | undefined> {
  try {
    const { sha256 } = (JSON.parse(await readText(file)) ?? {}) as { readonly sha256?: unknown };
    return typeof sha256 === "string" ? sha256 : undefined;
  } catch {
    return undefined; // no model of ours, one of an earlier version, or nothing is known of it any more
  }
}
