import { promises as fs } from "node:fs";
import path from "node:path";
import { BulwarkError, cancelled } from "../../shared/errors.ts";

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
  /** How long whoever cancels a request waits for it to end by itself; the engine may take longer over the step it is in. */
  readonly graceSeconds: number;
}
export const usualPatience: Patience = { seconds: 60, secondsPerMegabyte: 2, everySeconds: 5, graceSeconds: 1 };

interface Watched {
  ping(): Promise<unknown>;
  /** Ends the process, whatever it does; its requests fail with this error. */
  end(error: BulwarkError): void;
}
interface Work {
  readonly file: string | undefined;
  seconds: number;
  /** Since it was cancelled; null where it was not. */
  cancelledFor: number | null;
}

/** Watches one engine process while it has requests to answer. */
export interface Watchdog {
  /** Hands on what `answer` gives. A request that was cancelled is given up after a moment, and keeps others waiting only as long as its model may take. */
  watch<R>(params: unknown, answer: Promise<R>, signal?: AbortSignal): Promise<R>;
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
    if (first.cancelledFor !== null) first.cancelledFor += patience.everySeconds;
    if (first.cancelledFor !== null && first.cancelledFor >= first.seconds) {
      engine.end(endlessError(first, first.cancelledFor));
      return;
    }
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
    watch(params, answer, signal) {
      const work: Work = { file: fileOf(params), seconds: patience.seconds, cancelledFor: null };
      open.push(work);
      void megabytesOf(work.file).then((size) => {
        work.seconds += size * patience.secondsPerMegabyte;
      });
      timer ??= setInterval(look, patience.everySeconds * 1000);
      const settled = (): void => {
        open.splice(open.indexOf(work), 1);
        if (open.length === 0) stop();
      };
      answer.then(settled, settled);
      signal?.addEventListener("abort", () => {
        work.cancelledFor ??= 0;
      });
      return signal ? Promise.race([answer, givenUp(answer, signal, patience.graceSeconds)]) : answer;
    },
  };
}

/** Rejects with CANCELLED so many seconds after the signal, unless the answer has come by then. */
function givenUp(answer: Promise<unknown>, signal: AbortSignal, seconds: number): Promise<never> {
  return new Promise((_, reject) => {
    let timer: NodeJS.Timeout | undefined;
    const begin = (): void => {
      timer = setTimeout(() => reject(cancelled()), seconds * 1000);
    };
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", begin);
    };
    if (signal.aborted) begin();
    else signal.addEventListener("abort", begin, { once: true });
    answer.then(end, end);
  });
}

function endlessError({ file }: Work, seconds: number): BulwarkError {
  const about = file === undefined ? "" : ` about ${file}`;
  return new BulwarkError(
    "ENGINE_EXITED",
    `A cancelled request${about} did not end within ${Math.round(seconds)} seconds, so the engine was ended.`,
    "Try again; it has restarted.",
  );
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
