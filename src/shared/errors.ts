/** Codes of every expected failure. Anything else that is thrown is a bug. */
export const errorCodes = [
  "BACKEND_UNAVAILABLE", // the backend asked for cannot be loaded on this machine
  "BUG", // an unexpected exception, wrapped for transport
  "CANCELLED",
  "CHECKSUM", // a downloaded file is not the official one
  "DATASET_EMPTY",
  "DATASET_INVALID", // truncated IDX, records of the wrong size, boxes that are no boxes
  "DEFENSE_INVALID", // a defence that returned another shape, NaN or values outside [0,1]
  "DISK_FULL",
  "ENGINE_EXITED", // the engine process ended while a request was open
  "ENGINE_START", // the engine process could not be started
  "EXPERIMENT_INVALID",
  "FILE_NOT_FOUND",
  "FILE_UNREADABLE",
  "IMAGE_INVALID", // not an image, or one that the decoder refuses
  "IMAGE_SIZE", // the image and the model disagree about size or channels
  "INSTALL_FAILED", // npm or an install script ended with an error
  "KERNEL_UNSUPPORTED", // the backend has no lowering for a tfjs kernel
  "LABEL_RANGE",
  "MODEL_FORWARD_ONLY", // gradients are needed, and the model gives scores only
  "MODEL_INPUT", // several inputs or outputs, none that takes an image, or an unknown size or layout
  "MODEL_INVALID",
  "MODEL_MISMATCH", // an imported network does not compute what its file computes
  "MODEL_NAN", // a weight is NaN or infinite
  "MODEL_TOO_LARGE", // more nodes or numbers than any network has
  "MODEL_UNSAFE", // weights outside the model's folder
  "MODEL_UNSUPPORTED", // an unsupported operator, type or version
  "NETWORK",
  "NO_IMAGE", // there is no picture to choose
  "NO_MODEL", // there is no model to choose
  "NOT_WRITABLE",
  "OUT_OF_MEMORY", // even for a single image, or for the batch of a training step
  "PARAMETER_INVALID",
  "PART_MISSING", // a native part is not installed, or does not load
  "PLUGIN_FAILED", // code of a plugin threw, or returned what it must not
  "PLUGIN_INVALID", // a plugin that cannot be loaded
  "RUN_EXISTS", // the folder for the results holds something else already
  "RUN_INVALID",
  "RUN_LOCKED", // another process works on the run
  "RUN_NOT_FOUND",
  "TRAINING_DIVERGED", // the loss became NaN or infinite
  "UNKNOWN_ID", // no attack, defence, model … of that name
  "UNTRUSTED", // the workspace is not trusted
  "USAGE", // wrong command-line words
] as const;

export type ErrorCode = (typeof errorCodes)[number];
/** A code that was read from a file. */
export const errorCode = (text: string): ErrorCode => errorCodes.find((code) => code === text) ?? "BUG";

/** What crosses a process boundary in place of the exception itself. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly fix: string | undefined;
  readonly detail: string | undefined;
  /** A few lines of program text that repair it, to be copied. */
  readonly snippet?: string | undefined;
}

/** An expected failure: one sentence that says what happened, one that says what to do about it. */
export class BulwarkError extends Error {
  override readonly name = "BulwarkError";
  readonly code: ErrorCode;
  readonly fix: string | undefined;
  /** Further text for the log, such as the last lines of a process that ended. */
  readonly detail: string | undefined;
  readonly snippet: string | undefined;

  constructor(code: ErrorCode, message: string, fix?: string, options: { cause?: unknown; detail?: string; snippet?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fix = fix;
    this.detail = options.detail;
    this.snippet = options.snippet;
  }
}

/** Turns anything thrown into data for a message; system errors that a user can mend get their own code. */
export function toErrorData(thrown: unknown): ErrorData {
  const error = asBulwarkError(thrown);
  if (error) {
    const { code, message, fix, detail, snippet } = error;
    return { code, message, fix, detail, ...(snippet === undefined ? {} : { snippet }) };
  }
  const message = thrown instanceof Error ? thrown.message : String(thrown);
  const detail = thrown instanceof Error ? thrown.stack : undefined;
  return { code: "BUG", message, fix: "Show the log and report it.", detail };
}

export function fromErrorData(data: ErrorData): BulwarkError {
  const { code, message, fix, detail, snippet } = data;
  return new BulwarkError(code, message, fix, {
    ...(detail === undefined ? {} : { detail }),
    ...(snippet === undefined ? {} : { snippet }),
  });
}

/** System calls that only look. */
const readingCalls = new Set(["access", "lstat", "opendir", "read", "readlink", "realpath", "scandir", "stat"]);

const notWritable = (path: string, cause: Error): BulwarkError =>
  new BulwarkError("NOT_WRITABLE", `No permission for ${path}.`, "Choose another folder with --out, or change its permissions.", { cause });

/** The error itself if it is ours, or ours made of a file-system error that has a known remedy. */
export function asBulwarkError(thrown: unknown): BulwarkError | undefined {
  if (thrown instanceof BulwarkError) return thrown;
  if (!(thrown instanceof Error) || !("code" in thrown)) return undefined;
  const path = "path" in thrown && typeof thrown.path === "string" ? thrown.path : "the file";
  switch (thrown.code) {
    case "ENOSPC":
      return new BulwarkError(
        "DISK_FULL",
        `No space left on the disk while writing ${path}.`,
        "Free some space, then resume the run: what was finished is kept.",
        { cause: thrown },
      );
    case "EACCES":
    case "EPERM":
      if ("syscall" in thrown && readingCalls.has(String(thrown.syscall)))
        return new BulwarkError("FILE_UNREADABLE", `No permission to read ${path}.`, "Change its permissions, or those of its folder.", {
          cause: thrown,
        });
      return notWritable(path, thrown);
    case "EROFS":
      return notWritable(path, thrown);
    case "ENOENT":
      return new BulwarkError("FILE_NOT_FOUND", `There is no file ${path}.`, "Check the path.", { cause: thrown });
    case "ENAMETOOLONG":
      return new BulwarkError("FILE_NOT_FOUND", "The path is longer than any file's name may be.", "Correct the path.", { cause: thrown });
    case "ERR_INVALID_ARG_VALUE": // how Node refuses such a path, before it asks the system
      return /without null bytes/.test(thrown.message)
        ? new BulwarkError("FILE_NOT_FOUND", "The path contains a NUL character, which no file name can.", "Correct the path.", {
            cause: thrown,
          })
        : undefined;
    default:
      return undefined;
  }
}

export const isCancelled = (thrown: unknown): boolean => thrown instanceof BulwarkError && thrown.code === "CANCELLED";
export const cancelled = (): BulwarkError => new BulwarkError("CANCELLED", "Cancelled.");

/** `error CODE: message — fix`, the one line that the command line prints. */
export const errorLine = (error: ErrorData): string => `error ${error.code}: ${error.message}${error.fix ? ` — ${error.fix}` : ""}`;
