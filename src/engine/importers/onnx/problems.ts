import { BulwarkError, type ErrorCode } from "../../../shared/errors.ts";

/** What a file is called in messages, and what is said of it. */
const said =
  (code: ErrorCode) =>
  (file: string, what: string, fix: string): BulwarkError =>
    new BulwarkError(code, `${file} ${what}.`, fix);

export const invalidModel = said("MODEL_INVALID");
export const unsupportedModel = said("MODEL_UNSUPPORTED");
export const wrongInput = said("MODEL_INPUT");
export const tooLarge = said("MODEL_TOO_LARGE");

export const exportAgain = "Copy or export the model again.";
/** For what follows from a size, or from the mode of training, that was left open when the model was exported. */
export const exportFixed = "Export it with a fixed image size and in evaluation mode (model.eval()).";
