#!/usr/bin/env node
import { BulwarkError, errorLine, toErrorData } from "../shared/errors.ts";
import { generalHelp, isVerb, verbHelp } from "./usage.ts";

const exitCodes = { bug: 1, badInput: 3, cancelled: 130 } as const;

/** `bulwark VERB …`: results on stdout, everything else on stderr. */
async function main(words: readonly string[]): Promise<number> {
  const [verb, ...rest] = words;
  if (verb === undefined || verb === "--help" || verb === "-h" || verb === "help") {
    process.stdout.write(generalHelp());
    return verb === undefined ? exitCodes.badInput : 0;
  }
  if (verb === "--version") {
    process.stdout.write(`${process.env["BULWARK_VERSION"] ?? "0.0.0-dev"}\n`);
    return 0;
  }
  if (!isVerb(verb)) throw new BulwarkError("USAGE", `There is no verb "${verb}".`, "`bulwark --help` lists them.");
  if (rest.includes("--help") || rest.includes("-h")) {
    process.stdout.write(verbHelp(verb));
    return 0;
  }
  const { runVerb } = await import("./verbs/index.ts"); // loads tfjs: not for a help text
  return runVerb(verb, rest);
}

function exitCode(thrown: unknown): number {
  const error = toErrorData(thrown);
  process.stderr.write(`${errorLine(error)}\n`);
  if (error.code === "BUG" && error.detail) process.stderr.write(`${error.detail}\n`);
  if (error.code === "CANCELLED") return exitCodes.cancelled;
  return error.code === "BUG" ? exitCodes.bug : exitCodes.badInput;
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0); // `bulwark list | head`
});
main(process.argv.slice(2))
  .catch(exitCode)
  .then((code) => {
    process.exitCode = code;
    // Native threads of a backend may keep the process; what was written to stdout must be out first.
    process.stdout.write("", () => process.exit(code));
  });
