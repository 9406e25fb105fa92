import path from "node:path";
import { BulwarkError } from "../../../shared/errors.ts";
import type { RunContext } from "../../context.ts";
import type { SkippedFile } from "../../define/index.ts";
import { decodeImage } from "../../io/decode.ts";
import { readBytes } from "../../io/files.ts";
import { type ListedImage, type Listing, skippedNotes } from "./listing.ts";

const together = 8; // the decoder has threads of its own

/**
 * A listing without the pictures that cannot be decoded. Every picture is decoded once, as only that tells: the number of images, and with
 * it the sample and the plan of a run, follows from it and is the same when the run is resumed.
 * @throws FILE_NOT_FOUND, FILE_UNREADABLE: a drive that is gone is no broken picture; CANCELLED
 */
export async function withoutBroken(root: string, listing: Listing, ctx: RunContext): Promise<Listing> {
  const { train, test } = listing.splits;
  const all = [...train, ...test];
  const broken = new Map<ListedImage, string>();
  for (let start = 0; start < all.length; start += together) {
    await Promise.all(
      all.slice(start, start + together).map(async (image) => {
        const reason = await whyBroken(image.file);
        if (reason !== null) broken.set(image, reason);
      }),
    );
    await ctx.checkpoint({ phase: "Checking the pictures", done: Math.min(all.length, start + together), total: all.length });
  }
  if (broken.size === 0) return listing;
  const skipped = all.flatMap((image): SkippedFile[] => {
    const reason = broken.get(image);
    return reason === undefined ? [] : [{ file: path.relative(root, image.file).split(path.sep).join("/"), reason }];
  });
  const kept = (images: readonly ListedImage[]): ListedImage[] => images.filter((image) => !broken.has(image));
  return {
    ...listing,
    splits: { train: kept(train), test: kept(test) },
    skipped: [...listing.skipped, ...skipped],
    notes: [...listing.notes, ...skippedNotes(skipped)],
  };
}

async function whyBroken(file: string): Promise<string | null> {
  const bytes = await readBytes(file);
  try {
    await decodeImage(bytes, path.basename(file));
    return null;
  } catch (thrown) {
    if (thrown instanceof BulwarkError && thrown.code === "IMAGE_INVALID") return thrown.message.replace(/\.$/, "");
    throw thrown;
  }
}
