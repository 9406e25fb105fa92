import { readFile } from "node:fs/promises";
import path from "node:path";
import { gunzipSync } from "node:zlib";
import * as vscode from "vscode";
import { BulwarkError } from "../../shared/errors.ts";
import { pick } from "../choose.ts";
import { classesOf, type FoundData, findData, imagesIn } from "../data.ts";
import { exists, isRecord } from "../files.ts";
import { contactSheet, type Picture } from "../pictures.ts";
import type { Services } from "../services.ts";

/** The first images of a data set as one sheet; of a folder of classes, the image that was clicked or its first. */
export async function previewData(services: Services, argument?: unknown): Promise<unknown> {
  const found = await findData();
  const wanted = isRecord(argument) && typeof argument["spec"] === "string" ? argument["spec"] : argument;
  const data = found.find(({ spec }) => spec === wanted) ?? (await ask(found));
  const uri = data.kind === "imageFolder" ? await firstImage(data) : await sheetOf(services, data);
  await vscode.commands.executeCommand("vscode.open", uri);
  return uri;
}

async function ask(found: readonly FoundData[]): Promise<FoundData> {
  if (found.length === 0)
    throw new BulwarkError("DATASET_EMPTY", "There is no data in this folder.", "Fetch a data set, or add a folder for each class.");
  return (
    await pick(
      found.map((data) => ({ label: data.label, description: data.detail, data })),
      "Preview which data?",
    )
  ).data;
}

async function firstImage(data: FoundData): Promise<vscode.Uri> {
  const [name = ""] = await classesOf(data.directory);
  const [file = ""] = await imagesIn(path.join(data.directory, name));
  return vscode.Uri.file(path.join(data.directory, name, file));
}

async function sheetOf(services: Services, data: FoundData): Promise<vscode.Uri> {
  const pictures = await samplesOf(data);
  const folder = services.context.globalStorageUri;
  await vscode.workspace.fs.createDirectory(folder);
  const uri = vscode.Uri.joinPath(folder, `${data.kind}-samples.png`);
  await vscode.workspace.fs.writeFile(uri, contactSheet(pictures, 10));
  return uri;
}

const count = 100;

async function samplesOf({ kind, directory }: FoundData): Promise<Picture[]> {
  if (kind === "mnist" || kind === "fashionMnist") return idxImages(await readMaybeZipped(path.join(directory, "t10k-images-idx3-ubyte")));
  const cifar = kind === "cifar10" ? ["test_batch.bin", "cifar-10-batches-bin/test_batch.bin"] : ["test.bin", "cifar-100-binary/test.bin"];
  for (const file of cifar)
    if (await exists(path.join(directory, file)))
      return cifarImages(await readFile(path.join(directory, file)), kind === "cifar10" ? 1 : 2);
  throw new BulwarkError("DATASET_INVALID", `No preview for ${kind}.`, "Open its folder instead.");
}

async function readMaybeZipped(file: string): Promise<Buffer> {
  return (await exists(file)) ? readFile(file) : gunzipSync(await readFile(`${file}.gz`));
}

/** IDX: magic, count, rows, columns (big-endian), then one byte a pixel. */
function idxImages(bytes: Buffer): Picture[] {
  if (bytes.length < 16 || bytes.readUInt32BE(0) !== 0x803)
    throw new BulwarkError("DATASET_INVALID", "The file of images is not an IDX file.", "Fetch the data set again.");
  const [height, width] = [bytes.readUInt32BE(8), bytes.readUInt32BE(12)];
  const total = Math.min(count, bytes.readUInt32BE(4), Math.floor((bytes.length - 16) / (height * width)));
  return Array.from({ length: total }, (_, i) => ({
    height,
    width,
    pixel: (y, x) => grayAt(bytes, 16 + i * height * width + y * width + x),
  }));
}
const grayAt = (bytes: Buffer, at: number): readonly [number, number, number] => {
  const value = bytes[at] ?? 0;
  return [value, value, value];
};

/** CIFAR: label byte(s), then the red, green and blue planes of 32 × 32. */
function cifarImages(bytes: Buffer, labels: number): Picture[] {
  const record = labels + 3072;
  const total = Math.min(count, Math.floor(bytes.length / record));
  return Array.from({ length: total }, (_, i) => {
    const start = i * record + labels;
    const plane = (channel: number, y: number, x: number): number => bytes[start + channel * 1024 + y * 32 + x] ?? 0;
    return { height: 32, width: 32, pixel: (y, x) => [plane(0, y, x), plane(1, y, x), plane(2, y, x)] };
  });
}
