import { BulwarkError, type ErrorCode } from "../../../shared/errors.ts";

/** An error about a file: its name in messages, what is wrong, and the fix. */
const said =
  (code: ErrorCode) =>
  (file: string, what: string, fix: string): BulwarkError =>
    new BulwarkError(code, `${file} ${what}.`, fix);

export const invalidModel = said("MODEL_INVALID");
export const unsupportedModel = said("MODEL_UNSUPPORTED");
export const wrongInput = said("MODEL_INPUT");
export const tooLarge = said("MODEL_TOO_LARGE");

export const exportAgain = "Copy or export the model again.";
/** For problems caused by an open image size or by training mode at export. */
export const exportFixed = "Export it with a fixed image size and in evaluation mode (model.eval()).";
