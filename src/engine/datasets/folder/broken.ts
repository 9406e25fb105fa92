import path from "node:path";
import { BulwarkError } from "../../../shared/errors.ts";
import { count } from "../../../shared/format.ts";
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
  const broken = await brokenOf(all, ctx);
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

/** Pictures that are looked at once one of them could not be decoded. */
const mostSearched = 2000;
const remedy = 'Mend or remove such pictures, or leave them out with "onBroken": "skip".';

/**
 * One error for all pictures of a folder that cannot be decoded, so that they can be mended in one go.
 * @param first the error of the picture that was read
 * @throws FILE_NOT_FOUND, FILE_UNREADABLE, CANCELLED
 */
export async function brokenError(root: string, { splits }: Listing, first: BulwarkError, ctx: RunContext): Promise<BulwarkError> {
  const all = [...splits.train, ...splits.test];
  const searched = all.slice(0, mostSearched);
  const reasons = [...(await brokenOf(searched, ctx)).values()];
  if (reasons.length < 2) return new BulwarkError(first.code, first.message, remedy, { cause: first });
  const of = searched.length < all.length ? `the first ${count(searched.length)}` : `the ${count(all.length)}`;
  const rest = reasons.length > 3 ? `; and ${count(reasons.length - 3)} more` : "";
  const message = `${count(reasons.length)} of ${of} pictures in ${root} cannot be used: ${reasons.slice(0, 3).join("; ")}${rest}.`;
  return new BulwarkError("IMAGE_INVALID", message, remedy, { cause: first });
}

/** Those that cannot be decoded, and why: a clause that begins with the file's name. */
async function brokenOf(images: readonly ListedImage[], ctx: RunContext): Promise<ReadonlyMap<ListedImage, string>> {
  const reasons = new Map<ListedImage, string | null>();
  for (let start = 0; start < images.length; start += together) {
    const part = images.slice(start, start + together);
    const found = await Promise.all(part.map(({ file }) => whyBroken(file)));
    for (const [i, image] of part.entries()) reasons.set(image, found[i] ?? null);
    await ctx.checkpoint({ phase: "Checking the pictures", done: start + part.length, total: images.length });
  }
  return new Map([...reasons].flatMap(([image, reason]) => (reason === null ? [] : [[image, reason] as const])));
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
