import { BulwarkError } from "../../../shared/errors.ts";
import { type Config, record } from "../topology/graph.ts";

/** Parses a JSON object. @param what names the text in messages @throws MODEL_INVALID */
export function parsedObject(text: string, what: string): Config {
  let value: unknown;
  let cause: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    cause = error;
  }
  const object = record(value);
  if (object) return object;
  const options = cause instanceof Error ? { cause, detail: cause.message } : {};
  throw new BulwarkError("MODEL_INVALID", `${what} is cut off or is not JSON.`, "Copy or save the model again.", options);
}
