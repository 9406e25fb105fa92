import { existsSync } from "node:fs";
import path from "node:path";
import { Worker } from "node:worker_threads";
import { BulwarkError, type ErrorCode } from "../../../../shared/errors.ts";
import { bundleDirectory } from "../../../backends/paths.ts";

export interface StoredDataset {
  /** From the root, with a slash in front. */
  readonly path: string;
  readonly shape: readonly number[];
  /** "float32", "int64", …; "other" if not numeric. */
  readonly type: string;
  readonly isLittleEndian: boolean;
}
/** Structure of an HDF5 file, without its numbers. Paths begin with a slash; the root is "". */
export interface Tree {
  /** Attributes that describe a Keras model, by group. */
  readonly attributes: Record<string, Record<string, string | string[]>>;
  readonly groups: string[];
  readonly datasets: StoredDataset[];
}

/** In bytes unless noted. */
const limits = {
  memory: 512 << 20,
  /** Largest ratio of a data set's size to the file's: deflate compresses no better. */
  ratio: 1032,
  dataset: 2 ** 31 - 1,
  /** Largest chunk of a data set; a chunk is unpacked in one go. */
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
  large: "Save the model without parts that inference does not need.",
};

/** Time limits in seconds of processor time. With what starting the thread takes, a file that never ends is refused within five. */
const patience = { start: 20, tree: 4, weights: 60 };
/** On a busy machine the wall clock may show this many times as much. */
const busiest = 12;

/** A range of an open file that holds HDF5. */
export interface Hdf5Source {
  /** Its name in messages. */
  readonly name: string;
  readonly fd: number;
  readonly offset: number;
  readonly size: number;
}

/**
 * An HDF5 file, read in its own thread, which is terminated if it takes too long. Other files that it names are never opened.
 * The caller closes it first, then the descriptor.
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

  /** The numbers of a data set in the tree. All reads together may take a minute. @throws MODEL_INVALID, MODEL_UNSUPPORTED */
  read(dataset: StoredDataset): Promise<Float32Array<ArrayBuffer>> {
    return this.thread.ask({ op: "read", dataset }, patience.weights) as Promise<Float32Array<ArrayBuffer>>;
  }

  /** Once this settles, the descriptor is no longer read. */
  close(): Promise<void> {
    return this.thread.end();
  }
}

/** The thread. It takes one request at a time. */
class Thread {
  private readonly name: string;
  private readonly worker: Worker;
  /** Seconds spent on reading numbers. */
  private spent = 0;

  constructor({ name, ...where }: Hdf5Source) {
    this.name = name;
    // This limits strings; the library's own limit covers unpacked data.
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
        exit: () => refuse("cannot be read: the reader stopped unexpectedly"),
      };
      const timer = setInterval(() => {
        if (!spent(seconds)) return;
        void worker.terminate();
        refuse("takes longer to read than any model does");
      }, 500);
      for (const [event, listener] of Object.entries(listeners)) worker.on(event, listener);
    });
  }

  async end(): Promise<void> {
    await this.worker.terminate();
  }
}

/** Returns a function: have so many seconds of processor time passed, or `busiest` times as many on the clock? */
function stopwatch(): (seconds: number) => boolean {
  const [start, before] = [performance.now(), process.cpuUsage()];
  return (seconds) => {
    const passed = (performance.now() - start) / 1000;
    const { user, system } = process.cpuUsage(before);
    return passed >= busiest * seconds || (passed >= seconds && (user + system) / 1e6 >= seconds);
  };
}

/** Beside the bundle, or in the source tree when not bundled. */
function workerFile(): string {
  const bundled = path.join(bundleDirectory, "hdf5.mjs");
  return existsSync(bundled) ? bundled : path.resolve("src/engine/importers/keras/hdf5/worker.mjs");
}
