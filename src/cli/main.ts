#!/usr/bin/env node
import { BulwarkError, errorLine, toErrorData } from "../shared/errors.ts";
import { suggestion } from "../shared/nearest.ts";
import { printJson } from "./print.ts";
import { generalHelp, isVerb, verbHelp, verbs } from "./usage.ts";

const exitCodes = { bug: 1, badInput: 3, cancelled: 130 } as const;

const words = process.argv.slice(2);

/** `bulwark VERB …`: results on stdout, everything else on stderr. */
async function main([verb, ...rest]: readonly string[]): Promise<number> {
  if (verb === undefined || verb === "--help" || verb === "-h" || verb === "help") {
    process.stdout.write(generalHelp());
    return verb === undefined ? exitCodes.badInput : 0;
  }
  if (verb === "--version") {
    process.stdout.write(`${process.env["BULWARK_VERSION"] ?? "0.0.0-dev"}\n`);
    return 0;
  }
  if (!isVerb(verb)) throw new BulwarkError("USAGE", `There is no verb "${verb}".`, suggestion(verb, Object.keys(verbs), "The verbs are"));
  if (rest.includes("--help") || rest.includes("-h")) {
    process.stdout.write(verbHelp(verb));
    return 0;
  }
  const { runVerb } = await import("./verbs/index.ts"); // loads tfjs: not for a help text
  return runVerb(verb, rest);
}

/** One line on stderr; where results are wanted as JSON, a document in their place as well. */
function exitCode(thrown: unknown): number {
  const error = toErrorData(thrown);
  const { code, message, fix } = error;
  if (words.includes("--json")) printJson({ error: { code, message, fix: fix ?? null } });
  process.stderr.write(`${errorLine(error)}\n`);
  if (error.code === "BUG" && error.detail) process.stderr.write(`${error.detail}\n`);
  if (error.code === "CANCELLED") return exitCodes.cancelled;
  return error.code === "BUG" ? exitCodes.bug : exitCodes.badInput;
}

/** What was wrong with stdout, other than that nobody reads it any more. */
let unwritten: NodeJS.ErrnoException | undefined;
const isGone = ({ code }: NodeJS.ErrnoException): boolean => code === "EPIPE" || code === "EIO";
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (!isGone(error)) unwritten = error; // `bulwark list | head` reads no more than it wants
});
process.stderr.on("error", () => undefined); // a pipe or a terminal that is gone: the work goes on
main(words)
  .catch(exitCode)
  .then((code) => (unwritten ? exitCode(unwritten) : code))
  .then((code) => {
    process.exitCode = code;
    // Native threads of a backend may keep the process; what was written to stdout must be out first.
    process.stdout.write("", () => process.exit(code));
  });
