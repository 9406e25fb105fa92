import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { exportSnippet, unsupportedFormats } from "../../shared/modelFormats.ts";
import { openFile, readError } from "../io/files.ts";
import { isLfsPointer, lfsFix } from "../io/lfs.ts";

export type ModelFormat = "tfjs" | "onnx" | "keras";

const toOnnx =
  'Export it from Python, with the network built and its weights loaded: torch.onnx.export(model.eval(), torch.zeros(1, 3, 224, 224), "model.onnx"), with your height and width in place of 224.';
const toTfjs = "Convert it to a TensorFlow.js model (model.json), or export it to ONNX.";

/** Formats that are recognised by their first bytes but not supported: name and advice. */
const foreign: readonly { readonly name: string; readonly fix: string; is(head: Buffer, extension: string): boolean }[] = [
  {
    name: "PyTorch",
    fix: toOnnx,
    is: (head, extension) => isZip(head) || (head[0] === 0x80 && (head[1] ?? 9) < 8 && extension !== ".onnx"),
  },
  { name: "Safetensors", fix: toOnnx, is: (head) => head[8] === 0x7b && head[9] === 0x22 && head.readUInt32LE(4) === 0 },
  { name: "TensorFlow Lite", fix: toTfjs, is: (head) => head.subarray(4, 8).toString("latin1") === "TFL3" },
];
const isKeras = (head: Buffer, extension: string): boolean =>
  head.subarray(0, 4).equals(Buffer.from([0x89, 0x48, 0x44, 0x46])) ||
  (isZip(head) && (extension === ".keras" || /^(metadata|config)\.json/.test(entry(head))));
const isZip = (head: Buffer): boolean => head.subarray(0, 4).equals(Buffer.from("PK\x03\x04", "latin1"));
/** Name of the first file in a zip. */
const entry = (head: Buffer): string => head.subarray(30, 30 + head.readUInt16LE(26)).toString("latin1");

/**
 * The format of a model file, from its content rather than its name.
 * @throws MODEL_INVALID for an unsupported format, a Git LFS pointer, or a file that is not a model; FILE_UNREADABLE
 */
export async function formatOf(file: string): Promise<ModelFormat> {
  const name = path.basename(file);
  const extension = path.extname(file).toLowerCase();
  const head = await headOf(file);
  if (isLfsPointer(head)) throw new BulwarkError("MODEL_INVALID", `${file} is a Git LFS pointer and not the file itself.`, lfsFix);
  if (head.length >= 10 && isKeras(head, extension)) return "keras";
  if (/^\.(h5|hdf5|keras)$/.test(extension))
    throw new BulwarkError("MODEL_INVALID", `${name} is not a Keras model.`, "Check the file; copy or save the model again.");
  const known = head.length >= 10 ? foreign.find((one) => one.is(head, extension)) : undefined;
  const format = known?.name ?? unsupportedFormats[extension];
  if (format) throw unsupported(name, format, known?.fix ?? toTfjs);
  if (extension === ".json" || /^(\ufeff)?\s*[{]/.test(head.toString("utf8"))) return "tfjs";
  if (
    extension === ".onnx" ||
    extension === ".ort" ||
    (head[0] === 8 && (head[1] ?? 0) < 32 && [0x12, 0x1a, 0x22, 0x3a, 0x42].includes(head[2] ?? 0))
  )
    return "onnx";
  throw new BulwarkError(
    "MODEL_INVALID",
    `${name} is not a model file.`,
    "Name an ONNX file, a Keras file (.h5, .keras), or the model.json of a TensorFlow.js model.",
  );
}

/** An error with the code that converts a model of an unsupported format. */
export function unsupported(name: string, format: string, fix = toTfjs): BulwarkError {
  const snippet = exportSnippet(format, name);
  const what = `${name} is a ${format} model, which is not supported yet.`;
  return new BulwarkError("MODEL_INVALID", what, fix, snippet === undefined ? {} : { snippet });
}

async function headOf(file: string): Promise<Buffer> {
  const handle = await openFile(file);
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(256), 0, 256, 0);
    return buffer.subarray(0, bytesRead);
  } catch (error) {
    throw readError(error, file);
  } finally {
    await handle.close();
  }
}
