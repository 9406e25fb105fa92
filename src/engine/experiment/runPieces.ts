import { createHash } from "node:crypto";
import { rm } from "node:fs/promises";
import { type PieceDone, type PieceRecord, planFiles } from "../../shared/plan.ts";
import type { EvaluationImages, ImageBatch, ImageIdentity } from "../define/index.ts";
import type { Range } from "../evaluation/batches.ts";
import { readText } from "../io/files.ts";
import { openNpz } from "../io/npz.ts";
import {
  type DamagedPiece,
  finishedPieces,
  isSameResult,
  type PieceFolder,
  type Publication,
  type Published,
  type Publisher,
  pieceFolder,
  publish,
  readDone,
} from "../io/publish.ts";
import { hashOf } from "./document.ts";
import { type Piece, shardKey } from "./piece.ts";

/** Name of a piece's folder. */
export const pieceId = ({ stage, key }: Pick<Piece, "stage" | "key">): string =>
  `${stage}-${createHash("sha256").update(key).digest("hex").slice(0, 16)}`;

/** The list as `plan.json` has it. @throws Error for a need that is not listed before */
export function recordsOf(pieces: readonly Piece[]): PieceRecord[] {
  const places = new Map<string, number>();
  return pieces.map(({ key, stage, needs, cost, network, memory, images, device }, place) => {
    const before = needs.map((need) => {
      const found = places.get(need);
      if (found === undefined) throw new Error(`${key} needs ${need}, which is not before it`);
      return found;
    });
    if (places.has(key)) throw new Error(`${key} is listed twice`);
    places.set(key, place);
    const optional = { ...(network === undefined ? {} : { network }), ...(images === undefined ? {} : { images }) };
    return { key, stage, needs: before, cost, memory, device, ...optional };
  });
}

/** SHA-256 of what the pieces are: estimates are left out. */
export const planHashOf = (records: readonly PieceRecord[]): string =>
  hashOf(records.map(({ cost: _cost, memory: _memory, ...record }) => record));

/** The pieces of a run and what they have left. */
export class RunPieces {
  readonly all: readonly Piece[];
  readonly #groups = new Map<string, Piece[]>();
  readonly #byKey: ReadonlyMap<string, Piece>;
  readonly #publisher: Publisher;
  #done = new Set<string>();
  /** How those were done that are done again since a file of them was damaged. */
  readonly #before = new Map<string, PieceDone>();

  constructor(pieces: readonly Piece[], publisher: Publisher) {
    this.all = pieces;
    this.#byKey = new Map(pieces.map((piece) => [piece.key, piece]));
    this.#publisher = publisher;
    for (const piece of pieces) {
      const group = groupOf(piece);
      this.#groups.set(group, [...(this.#groups.get(group) ?? []), piece]);
    }
  }

  /** Looks for what is done already, and removes what processes left that died. @returns what was damaged and is done again */
  async open(): Promise<readonly DamagedPiece[]> {
    const { keys, damaged } = await finishedPieces(this.#publisher.run, this.#publisher.planHash);
    this.#done = new Set(keys.values());
    for (const { done } of damaged) this.#before.set(done.key, done);
    return damaged;
  }

  has = (key: string): boolean => this.#byKey.has(key);
  isDone = (key: string): boolean => this.#done.has(key);
  /** The shards of a group, in order; the piece itself where it is not sharded. */
  group = (name: string): readonly Piece[] => this.#groups.get(name) ?? [];

  async publish(
    piece: Piece,
    work: (folder: PieceFolder) => Promise<void>,
    o: Pick<Publication, "share" | "leaves"> = {},
  ): Promise<Published> {
    const { key } = piece;
    const published = await publish(this.#publisher, { ...o, id: pieceId(piece), key }, work);
    this.#done.add(key);
    const [before, now] = [this.#before.get(key), await readDone(this.#folder(piece))];
    if (before && now && !isSameResult(before, now)) await this.#undo(key);
    return published;
  }

  #folder = (piece: Piece): string => pieceFolder(this.#publisher.run, pieceId(piece));

  /** What was made from an earlier result of a piece is made again. */
  async #undo(key: string): Promise<void> {
    const undone = new Set([key]);
    for (const piece of this.all) {
      if (!piece.needs.some((need) => undone.has(need))) continue;
      undone.add(piece.key);
      if (this.#done.delete(piece.key)) await rm(this.#folder(piece), { recursive: true, force: true });
    }
  }

  /** Seconds that a finished piece takes as a whole on this device; null where that is not known. */
  async timeOf(piece: Piece): Promise<number | null> {
    const done = await readDone(this.#folder(piece));
    if (done === null || done.device !== this.#publisher.device || !(done.seconds >= 0)) return null;
    const { seconds, share = 1 } = done;
    return share > 0 ? seconds / share : null;
  }

  /** A file that a piece has left. */
  file(key: string, name: string): string {
    const piece = this.#byKey.get(key);
    if (!piece) throw new Error(`there is no piece ${key}`);
    return `${this.#folder(piece)}/${name}`;
  }

  async json<T>(key: string, name: string): Promise<T> {
    return JSON.parse(await readText(this.file(key, name))) as T;
  }

  /** The same file of every shard of a group, in order. */
  jsonOf<T>(group: string, name: string): Promise<T[]> {
    return Promise.all(this.group(group).map(({ key }) => this.json<T>(key, name)));
  }

  /** Rows [start, end) of an array whose shards lie in `file` of a group's pieces. */
  async rows<T extends Float32Array | Float64Array | Int32Array>(
    group: string,
    file: string,
    array: string,
    [start, end]: Range,
  ): Promise<T> {
    const parts: T[] = [];
    for (const { key, images: [from, to] = [0, 0] } of this.group(group)) {
      if (to <= start || from >= end) continue;
      const npz = await openNpz(this.file(key, file));
      try {
        const rows = await npz.arrays.get(array)?.read(Math.max(start, from) - from, Math.min(end, to) - from);
        parts.push(rows as T);
      } finally {
        await npz.close();
      }
    }
    return parts.length === 1 ? (parts[0] as T) : joined(parts);
  }

  /** Removes all pieces: the run is finished, or is to be done again. */
  async remove(): Promise<void> {
    this.#done.clear();
    for (const name of [planFiles.pieces, planFiles.attempts]) await rm(`${this.#publisher.run}/${name}`, { recursive: true, force: true });
  }
}

const groupOf = ({ key, images }: Piece): string => (images ? key.slice(0, -shardKey("", images).length) : key);

function joined<T extends Float32Array | Float64Array | Int32Array>(parts: readonly T[]): T {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const kind = (parts[0]?.constructor ?? Float32Array) as new (length: number) => T;
  const whole = new kind(length);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Names of what the pieces with the clean images hold. */
export const imagesPiece = { group: "images", file: "images.npz", identities: "identities.json" } as const;

/** Labels of the test images, [n]. */
export const storedLabels = (pieces: RunPieces, n: number): Promise<Int32Array> =>
  pieces.rows<Int32Array>(imagesPiece.group, imagesPiece.file, "labels", [0, n]);

/** What the test images are, in their order. */
export const storedIdentities = async (pieces: RunPieces): Promise<ImageIdentity[]> =>
  (await pieces.jsonOf<ImageIdentity[]>(imagesPiece.group, imagesPiece.identities)).flat();

/** The test images of a run as its pieces hold them. */
export const storedImages = (pieces: RunPieces, n: number, inputShape: EvaluationImages["inputShape"]): EvaluationImages => ({
  n,
  inputShape,
  async read(start, end): Promise<ImageBatch> {
    const { group, file } = imagesPiece;
    const images = await pieces.rows<Float32Array>(group, file, "images", [start, end]);
    const labels = await pieces.rows<Int32Array>(group, file, "labels", [start, end]);
    return { images, labels, n: end - start };
  },
});
