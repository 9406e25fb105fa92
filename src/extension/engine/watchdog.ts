import { promises as fs } from "node:fs";
import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";

/**
 * How long an engine may go without answering a ping while it works. It computes synchronously, so that one batch of a large network, or
 * building it, keeps it silent for as long as that takes: seconds usually, tens of seconds on a slow machine. A batch's size is bounded by
 * the memory it takes, whatever the number of evaluations; what is left to grow is the model.
 */
export interface Patience {
  readonly seconds: number;
  /** More for every megabyte of the model's folder: InceptionV3 (95 MB) has four minutes, VGG-16 (530 MB) almost twenty. */
  readonly secondsPerMegabyte: number;
  /** Between two looks at the engine. */
  readonly everySeconds: number;
}
export const usualPatience: Patience = { seconds: 60, secondsPerMegabyte: 2, everySeconds: 5 };

interface Watched {
  ping(): Promise<unknown>;
  /** Ends the process, whatever it does; its requests fail with this error. */
  end(error: BulwarkError): void;
}
interface Work {
  readonly file: string | undefined;
  seconds: number;
}

/** Watches one engine process while it has requests to answer. */
export interface Watchdog {
  /** Hands on what `answer` gives. */
  watch<R>(params: unknown, answer: Promise<R>): Promise<R>;
}

/**
 * Ends an engine that has been deaf for too long. Looks are counted, not the time between them: a computer that slept, or a debugger that
 * stopped the editor, must not cost the engine its life.
 */
export function createWatchdog(engine: Watched, patience: Patience = usualPatience): Watchdog {
  const open: Work[] = []; // in the order in which the engine does them
  let timer: NodeJS.Timeout | undefined;
  let isAsked = false;
  let silence = 0;
  const look = (): void => {
    const [first] = open;
    if (!first) return;
    if (!isAsked) {
      isAsked = true;
      silence = 0;
      engine.ping().then(
        () => {
          isAsked = false;
        },
        () => undefined,
      );
      return;
    }
    silence += patience.everySeconds;
    if (silence >= first.seconds) engine.end(deafError(first, silence));
  };
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };
  return {
    async watch(params, answer) {
      const work: Work = { file: fileOf(params), seconds: patience.seconds };
      open.push(work);
      void megabytesOf(work.file).then((size) => {
        work.seconds += size * patience.secondsPerMegabyte;
      });
      timer ??= setInterval(look, patience.everySeconds * 1000);
      try {
        return await answer;
      } finally {
        open.splice(open.indexOf(work), 1);
        if (open.length === 0) stop();
      }
    },
  };
}

function deafError({ file }: Work, silence: number): BulwarkError {
  const on = file === undefined ? "" : ` while it worked on ${file}`;
  return new BulwarkError(
    "ENGINE_EXITED",
    `The engine did not answer for ${Math.round(silence)} seconds${on}, and was ended.`,
    file === undefined ? "Try again; it has restarted." : "It has restarted. Try another file, or a smaller model.",
  );
}

/** What a request is about: its model first of all. */
function fileOf(params: unknown): string | undefined {
  const fields = new Map(Object.entries(params ?? {}));
  for (const key of ["model", "image", "patch", "run", "directory"]) {
    const value: unknown = fields.get(key);
    if (typeof value === "string" && value !== "") return value;
  }
  return undefined;
}

/** Of a file's folder, or of a folder, without those within: a model and its weights. */
async function megabytesOf(file: string | undefined): Promise<number> {
  if (file === undefined) return 0;
  const folder = (await fs.stat(file).catch(() => null))?.isDirectory() ? file : path.dirname(file);
  const names = await fs.readdir(folder).catch(() => []);
  const sizes = await Promise.all(names.map((name) => fs.stat(path.join(folder, name)).catch(() => null)));
  return sizes.reduce((sum, stats) => sum + (stats?.isFile() ? stats.size : 0), 0) / 1e6;
}
