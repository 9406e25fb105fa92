import { BulwarkError, type ErrorCode } from "../../../shared/errors.ts";

/** An error about a file: its name in messages, what is wrong, and the fix. */
const said =
  (code: ErrorCode) =>
  (file: string, what: string, fix: string): BulwarkError =>
    new BulwarkError(code, `${file} ${what}.`, fix);

export const invalidModel = said("MODEL_INVALID");
/** The network cannot be computed here. The file itself may be valid, and another program may run it. */
export class UnsupportedModel extends BulwarkError {
  readonly file: string;
  /** What is unsupported, about the file. */
  readonly what: string;

  constructor(file: string, what: string, fix: string, more = "") {
    super("MODEL_UNSUPPORTED", `${file} ${what}${more}.`, fix);
    this.file = file;
    this.what = what;
  }
}
export const unsupportedModel = (file: string, what: string, fix: string): UnsupportedModel => new UnsupportedModel(file, what, fix);
export const wrongInput = said("MODEL_INPUT");
export const tooLarge = said("MODEL_TOO_LARGE");

export const exportAgain = "Copy or export the model again.";
/** For problems caused by an open image size or by training mode at export. */
export const exportFixed = "Export it with a fixed image size and in evaluation mode (model.eval()).";
