import { cancelled } from "../../shared/errors.ts";

export interface QueuedJob {
  readonly id: string;
  readonly title: string;
}
/** Long runs one after the other: two at once would only slow each other down. */
export interface RunQueue {
  readonly active: QueuedJob | undefined;
  readonly waiting: readonly QueuedJob[];
  /** Settles as `work` does; rejects with CANCELLED when it was cancelled while waiting. */
  add<R>(job: QueuedJob, work: (signal: AbortSignal) => Promise<R>): Promise<R>;
  /** False when there is no such job. */
  cancel(id: string): boolean;
  cancelAll(): void;
}

interface Entry {
  readonly job: QueuedJob;
  readonly abort: AbortController;
  start(): void;
  drop(): void;
}

export function createQueue(changed: () => void): RunQueue {
  const entries: Entry[] = [];
  let running = false;
  const next = (): void => {
    const [first] = entries;
    if (running || !first) return;
    running = true;
    first.start();
  };
  const finish = (entry: Entry): void => {
    running = false;
    entries.splice(entries.indexOf(entry), 1);
    next();
    changed();
  };
  const cancel = (id: string): boolean => {
    const index = entries.findIndex((entry) => entry.job.id === id);
    const entry = entries[index];
    if (!entry) return false;
    entry.abort.abort();
    if (index > 0 || !running) {
      entries.splice(index, 1);
      entry.drop();
      changed();
    }
    return true;
  };
  return {
    get active() {
      return running ? entries[0]?.job : undefined;
    },
    get waiting() {
      return entries.slice(running ? 1 : 0).map((entry) => entry.job);
    },
    add: (job, work) =>
      new Promise((resolve, reject) => {
        const abort = new AbortController();
        const entry: Entry = {
          job,
          abort,
          start: () => {
            // Through a promise, so that a throw before the first await settles the job as well.
            Promise.resolve()
              .then(() => work(abort.signal))
              .finally(() => finish(entry))
              .then(resolve, reject);
          },
          drop: () => reject(cancelled()),
        };
        entries.push(entry);
        next();
        changed();
      }),
    cancel,
    cancelAll: () => {
      for (const entry of [...entries].reverse()) cancel(entry.job.id);
    },
  };
}
