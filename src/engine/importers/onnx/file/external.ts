import fs from "node:fs";
import path from "node:path";
import { BulwarkError } from "../../../../shared/errors.ts";
import { systemCode } from "../../../io/files.ts";
import { ByteFile } from "./bytes.ts";

const mostFiles = 64;
const longestLocation = 255;

/**
 * Files beside a model that hold its weights. Models may come from untrusted sources, so nothing outside the model's folder is opened, and
 * no links are followed. The caller closes them.
 */
export class ExternalFiles {
  private readonly model: string;
  private readonly open = new Map<string, ByteFile>();

  /** @param model path of the ONNX file */
  constructor(model: string) {
    this.model = model;
  }

  /** Full paths, in the order that the model names them. */
  get files(): readonly string[] {
    return [...this.open.values()].map(({ name }) => name);
  }

  /** @throws MODEL_UNSAFE, FILE_NOT_FOUND, MODEL_TOO_LARGE */
  file(location: string): ByteFile {
    const known = this.open.get(location);
    if (known) return known;
    if (this.open.size >= mostFiles)
      throw new BulwarkError(
        "MODEL_TOO_LARGE",
        `${this.model} keeps its weights in more than ${mostFiles} files.`,
        "Save the weights in one file.",
      );
    const opened = this.opened(location);
    this.open.set(location, opened);
    return opened;
  }

  close(): void {
    for (const file of this.open.values()) file.close();
  }

  private opened(location: string): ByteFile {
    const parts = location.split(/[/\\]/);
    const isOutside = parts.some((part) => part === "" || part === "." || part === ".." || part.includes("\0") || part.includes(":"));
    if (isOutside || location.length > longestLocation) throw this.unsafe(location, "outside its folder");
    let place = fs.realpathSync(path.dirname(this.model));
    let last: fs.Stats | undefined;
    for (const part of parts) {
      place = path.join(place, part);
      last = this.stats(place, location);
      if (last.isSymbolicLink()) throw this.unsafe(location, "through a link");
    }
    if (!last?.isFile()) throw this.unsafe(location, "which is not a file");
    if (last.nlink > 1) throw this.unsafe(location, "which has another name elsewhere (a hard link)");
    const fd = fs.openSync(place, "r");
    const { dev, ino } = fs.fstatSync(fd);
    if (dev === last.dev && ino === last.ino) return new ByteFile(place, fd);
    fs.closeSync(fd);
    throw this.unsafe(location, "which was replaced while it was opened");
  }

  private stats(place: string, location: string): fs.Stats {
    try {
      return fs.lstatSync(place);
    } catch (error) {
      if (systemCode(error) !== "ENOENT") throw error;
      throw new BulwarkError(
        "FILE_NOT_FOUND",
        `The weights of ${this.model}, ${location}, are not beside it.`,
        "Copy all files of the model into one folder, or export it again.",
      );
    }
  }

  private unsafe(location: string, where: string): BulwarkError {
    return new BulwarkError(
      "MODEL_UNSAFE",
      `${this.model} keeps weights in ${JSON.stringify(location)}, ${where}.`,
      "Copy that file itself beside the model: caches such as Hugging Face's hold links.",
    );
  }
}
