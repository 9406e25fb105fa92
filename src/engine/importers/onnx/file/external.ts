import fs from "node:fs";
import { BulwarkError } from "../../../../shared/errors.ts";
import { openFileSync } from "../../../io/files.ts";
import { fileBeside, unsafeWeights } from "../../beside.ts";
import { ByteFile } from "./bytes.ts";

const mostFiles = 64;

/** Files beside a model that hold its weights, opened as `fileBeside` allows. The caller closes them. */
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
    const { place, stats } = fileBeside(this.model, location);
    if (stats.nlink > 1) throw unsafeWeights(this.model, location, "which has another name elsewhere (a hard link)");
    const fd = openFileSync(place);
    const { dev, ino } = fs.fstatSync(fd);
    if (dev === stats.dev && ino === stats.ino) return new ByteFile(place, fd);
    fs.closeSync(fd);
    throw unsafeWeights(this.model, location, "which was replaced while it was opened");
  }
}
