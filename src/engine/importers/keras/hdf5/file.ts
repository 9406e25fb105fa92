import { existsSync } from "node:fs";
import path from "node:path";
import { Worker } from "node:worker_threads";
import { BulwarkError, type ErrorCode } from "../../../../shared/errors.ts";
import { bundleDirectory } from "../../../backends/paths.ts";

export interface StoredDataset {
  /** From the root, with a slash in front. */
  readonly path: string;
  readonly shape: readonly number[];
  /** "float32", "int64", …; "other" for what are no numbers. */
  readonly type: string;
  readonly isLittleEndian: boolean;
}
/** What an HDF5 file holds, without its numbers. Paths begin with a slash; the root is "". */
export interface Tree {
  /** Of each group, those that describe a Keras model. */
  readonly attributes: Record<string, Record<string, string | string[]>>;
  readonly groups: string[];
  readonly datasets: StoredDataset[];
}

/** Bytes, unless said otherwise. */
const limits = {
  memory: 512 << 20,
  /** Of the memory that a file of a few bytes can ask for: nothing is packed more closely by deflate. */
  ratio: 1032,
  dataset: 2 ** 31 - 1,
  /** What is unpacked at once for one part of a data set. */
  chunk: 64 << 20,
  slice: 16 << 20,
  attribute: 64 << 20,
  /** Groups and data sets. */
  objects: 20_000,
  /** Groups within groups. */
  depth: 16,
} as const;
export type Hdf5Limits = typeof limits;
export type Hdf5Request = { readonly op: "tree" } | { readonly op: "read"; readonly dataset: StoredDataset };

type Kind = "invalid" | "unsafe" | "unsupported" | "large";
interface Answer {
  readonly value?: unknown;
  readonly error?: { readonly kind: Kind; readonly what: string; readonly detail: string };
}

const codes: Readonly<Record<Kind, ErrorCode>> = {
  invalid: "MODEL_INVALID",
  unsafe: "MODEL_UNSAFE",
  unsupported: "MODEL_UNSUPPORTED",
  large: "MODEL_TOO_LARGE",
};
const fixes: Readonly<Record<Kind, string>> = {
  invalid: "Copy or save the model again.",
  unsafe: "Use a file that Keras itself saved, with all of its weights inside.",
  unsupported: "Save the model with float32 weights.",
  large: "Save the model without what is not needed to run it.",
};

/** Seconds of processor time. On a busy machine they take longer, up to so many times. */
const patience = { start: 20, tree: 5, weights: 60 };
const busiest = 12;

/** A range of an open file that is HDF5. */
export interface Hdf5Source {
  /** What it is called in messages. */
  readonly name: string;
  readonly fd: number;
  readonly offset: number;
  readonly size: number;
}

/**
 * An HDF5 file, read in a thread of its own that is ended when it takes too long. The file can name other files; none is ever opened.
 * The caller closes it, and the descriptor after that.
 */
export class Hdf5File {
  readonly tree: Tree;
  private readonly thread: Thread;

  private constructor(thread: Thread, tree: Tree) {
    this.thread = thread;
    this.tree = tree;
  }

  /** @throws MODEL_INVALID, MODEL_UNSAFE (links, virtual data sets, more numbers than the bytes can hold), MODEL_TOO_LARGE */
  static async open(source: Hdf5Source): Promise<Hdf5File> {
    const thread = new Thread(source);
    try {
      await thread.answer(patience.start);
      const tree = (await thread.ask({ op: "tree" }, patience.tree)) as Tree;
      return new Hdf5File(thread, tree);
    } catch (error) {
      await thread.end();
      throw error;
    }
  }

  /** The numbers of a data set of the tree. All of them together take at most a minute. @throws MODEL_INVALID, MODEL_UNSUPPORTED */
  read(dataset: StoredDataset): Promise<Float32Array<ArrayBuffer>> {
    return this.thread.ask({ op: "read", dataset }, patience.weights) as Promise<Float32Array<ArrayBuffer>>;
  }

  /** The descriptor is not read any more once this has settled. */
  close(): Promise<void> {
    return this.thread.end();
  }
}

/** The thread, to which one question is put at a time. */
class Thread {
  private readonly name: string;
  private readonly worker: Worker;
  /** Seconds spent on reading numbers. */
  private spent = 0;

  constructor({ name, ...where }: Hdf5Source) {
    this.name = name;
    // V8's own limits keep what is made of texts within bounds, as the library's limit does with what is unpacked.
    const resourceLimits = { maxOldGenerationSizeMb: 512 };
    this.worker = new Worker(workerFile(), { workerData: { ...where, limits }, resourceLimits, execArgv: [], env: {} });
  }

  async ask(request: Hdf5Request, seconds: number): Promise<unknown> {
    const start = performance.now();
    this.worker.postMessage(request);
    try {
      return await this.answer(seconds - this.spent);
    } finally {
      if (request.op === "read") this.spent += (performance.now() - start) / 1000;
    }
  }

  /** The next message of the thread. */
  answer(seconds: number): Promise<unknown> {
    const { worker, name } = this;
    const spent = stopwatch();
    return new Promise((resolve, reject) => {
      const settle = (settled: () => void) => {
        clearInterval(timer);
        for (const [event, listener] of Object.entries(listeners)) worker.off(event, listener);
        settled();
      };
      const refuse = (what: string, kind: Kind = "invalid", detail?: string) =>
        settle(() => reject(new BulwarkError(codes[kind], `${name} ${what}.`, fixes[kind], detail === undefined ? undefined : { detail })));
      const listeners = {
        message: ({ value, error }: Answer) => (error ? refuse(error.what, error.kind, error.detail) : settle(() => resolve(value))),
        error: (error: Error) =>
          "code" in error && error.code === "ERR_WORKER_OUT_OF_MEMORY"
            ? refuse("needs more memory than any model does", "large")
            : settle(() => reject(error)),
        exit: () => refuse("cannot be read: reading it ended without an answer"),
      };
      const timer = setInterval(() => {
        if (!spent(seconds)) return;
        void worker.terminate();
        refuse("takes too long to read, as no model does");
      }, 500);
      for (const [event, listener] of Object.entries(listeners)) worker.on(event, listener);
    });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}

/** Whether so many seconds have passed, of which this process worked as many unless the machine is very busy. */
function stopwatch(): (seconds: number) => boolean {
  const [start, before] = [performance.now(), process.cpuUsage()];
  return (seconds) => {
    const passed = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(before);
    return passed >= busiest * seconds || (passed >= seconds && (user + system) / 1e6 >= seconds);
  };
}

/** Beside the bundle; unbundled, where the source lies. */
function workerFile(): string {
  const bundled = path.join(bundleDirectory, "hdf5.mjs");
  return existsSync(bundled) ? bundled : path.resolve("src/engine/importers/keras/hdf5/worker.mjs");
}
