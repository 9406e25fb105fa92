import type { Node } from "jsonc-parser";
import type { Fix, Problem } from "../shared/fileRules/problem.ts";
import { at, atPointer, jsonOf, keySpan, parseExperiment, type Span, spanOf } from "../shared/fileRules/tree.ts";
import { parseFraction } from "../shared/format.ts";
import { type Finding, placeOf } from "../shared/results.ts";
import type { LastReport } from "./results.ts";

/**
 * What the last run of an experiment file found, at the places in the file that it is about. A finding is left out where the file says
 * something else by now than what was run.
 */
export function runFindings(text: string, last: LastReport | undefined): Problem[] {
  const root = parseExperiment(text);
  if (root?.type !== "object" || !last) return [];
  return last.findings.flatMap((finding): Problem[] => {
    const pointer = finding.at?.pointer;
    const node = pointer === undefined ? undefined : atPointer(root, pointer);
    if (!node || pointer === undefined || !isAsRun(jsonOf(node), valueAt(last.experiment, pointer))) return [];
    const where = placeOf(finding);
    const message = `${where === "" ? "" : `${where}: `}${finding.message} ${finding.fix} (run ${last.run})`;
    return [{ code: finding.rule, severity: finding.severity, message, span: spanAt(node), fixes: fixesOf(root, finding) }];
  });
}

/** Everything that the file writes has the value that was run; defaults may be missing, and a path may be shorter. */
export function isAsRun(written: unknown, run: unknown): boolean {
  if (typeof written === "object" && written !== null)
    return (
      typeof run === "object" &&
      run !== null &&
      Object.entries(written).every(([key, value]) => isAsRun(value, (run as Readonly<Record<string, unknown>>)[key]))
    );
  if (typeof written === "string" && typeof run === "object" && run !== null && "kind" in run) return run.kind === written; // an id alone
  if (typeof written === "string" && typeof run === "string")
    return run === written || run.replaceAll("\\", "/").endsWith(`/${written.replace(/^\.\//, "")}`);
  if (typeof written === "string" && typeof run === "number") return parseFraction(written) === run;
  return written === run;
}

function valueAt(document: unknown, pointer: string): unknown {
  return pointer
    .split("/")
    .slice(1)
    .reduce<unknown>((value, step) => (value as Readonly<Record<string, unknown>> | undefined)?.[step], document);
}

/** The name of an entry or arm rather than all of it. */
function spanAt(node: Node): Span {
  const name = at(node, "kind") ?? at(node, "name") ?? at(node, "file");
  return name ? spanOf(name) : keySpan(node);
}

function fixesOf(root: Node, { edit }: Finding): Fix[] {
  if (!edit) return [];
  const key = edit.pointer.slice(edit.pointer.lastIndexOf("/") + 1);
  const title = `Set ${key} to ${JSON.stringify(edit.value)}`;
  const node = atPointer(root, edit.pointer);
  if (node) return [{ title, span: spanOf(node), text: JSON.stringify(edit.value), isPreferred: true }];
  const last = atPointer(root, edit.pointer.slice(0, -key.length - 1))?.children?.at(-1);
  if (!last) return [];
  const text = `, ${JSON.stringify(key)}: ${JSON.stringify(edit.value)}`;
  return [{ title, span: { offset: last.offset + last.length, length: 0 }, text, isPreferred: true }];
}
