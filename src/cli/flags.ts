import { datasets } from "../engine/registry.ts";
import { BulwarkError } from "../shared/errors.ts";

const parameters = new Set(datasets.flatMap(({ params }) => Object.keys(params.properties)));

/**
 * Parameters of a data set as flags of a command, in place of the words of an experiment file: `"onBroken": "skip"` →
 * `--dataset-set onBroken=skip`.
 */
export const asFlags = (text: string): string =>
  text.replace(/"(\w+)": (?:"(\w+)"|(\w+))/g, (whole, name: string, word?: string, value?: string) =>
    parameters.has(name) ? `--dataset-set ${name}=${word ?? value}` : whole,
  );

/** The same error, whose remedy names flags. */
export function inFlags(thrown: unknown): unknown {
  if (!(thrown instanceof BulwarkError) || thrown.fix === undefined || asFlags(thrown.fix) === thrown.fix) return thrown;
  const { code, message, fix, detail, cause } = thrown;
  return new BulwarkError(code, message, asFlags(fix), { cause, ...(detail === undefined ? {} : { detail }) });
}
