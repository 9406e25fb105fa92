import path from "node:path";
import { type CheckResult, checkPlugin as check } from "../../engine/plugins/check.ts";
import { printJson, printText } from "../print.ts";
import type { VerbAction } from "./index.ts";

const notMet = 2;

/** `bulwark check-plugin FILE`: one line for each check; exit code 2 if one fails. */
export const checkPlugin: VerbAction = async (args, session) => {
  const [file = ""] = args.positionals;
  await session.engine();
  const asJson = args.flag("json");
  const onResult = (result: CheckResult): void => {
    if (!asJson) printText(lineOf(result));
  };
  const options = { params: (id: string) => args.params("dataset", id), directory: process.cwd(), onResult };
  const report = await check(file, options, () => session.context());
  const broken = report.checks.filter(({ problem }) => problem !== null).length;
  if (asJson) printJson(report);
  else
    printText(
      broken === 0
        ? `${path.basename(file)}: ${report.checks.length} checks hold`
        : `${path.basename(file)}: ${broken} of ${report.checks.length} checks fail`,
    );
  return broken === 0 ? 0 : notMet;
};

const lineOf = ({ kind, id, on, check: name, problem }: CheckResult): string =>
  `${problem === null ? "ok  " : "FAIL"} ${kind} ${id}: ${name}${on === "" ? "" : `, ${on}`}${problem === null ? "" : `\n     ${problem}`}`;
