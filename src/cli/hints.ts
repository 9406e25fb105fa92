import path from "node:path";
import { catalog } from "../engine/catalog.ts";
import { mostExperiment } from "../engine/experiment/load.ts";
import { readText } from "../engine/io/files.ts";
import { fileRules } from "../shared/fileRules/index.ts";
import type { Problem } from "../shared/fileRules/problem.ts";
import { checkAll, type FileRule } from "../shared/fileRules/rule.ts";
import { choiceSites, lineColumn, parseExperiment } from "../shared/fileRules/tree.ts";
import type { RuleId } from "../shared/rules.ts";

/**
 * What the editor's rules say of an experiment file, as lines; none for a file that cannot be read, which its loading says.
 * @param met rules that an option of the command line has met
 */
export async function hintsOfFile(file: string, met: readonly RuleId[] = []): Promise<string[]> {
  const text = await readText(file, { most: mostExperiment }).catch(() => "");
  const rules = fileRules.filter(({ id }) => !met.includes(id));
  return problemsOf(text, rules).map((problem) => {
    const { line, column } = lineColumn(text, problem.span.offset);
    return `${path.basename(file)}:${line}:${column} ${sentence(problem)}`;
  });
}

interface Choice {
  readonly id: string;
  readonly params: Readonly<Record<string, unknown>>;
}

/** What those rules say of an attack and the defences that were named on the command line. */
export function hintsOfChoices(attack: Choice, defenses: readonly Choice[]): string[] {
  const written = ({ id, params }: Choice) => ({ ...params, kind: id });
  const text = JSON.stringify({ defense: defenses.map(written), attacks: [written(attack)] });
  const rules = fileRules.filter(({ scope }) => scope === "choice");
  return problemsOf(text, rules).map(sentence);
}

function problemsOf(text: string, rules: readonly FileRule[]): Problem[] {
  const root = parseExperiment(text);
  const entries = catalog();
  return root?.type === "object" ? checkAll(rules, { root, sites: choiceSites(root, entries), catalog: entries }) : [];
}

const sentence = ({ code, message, fixes }: Problem): string => [`${code}: ${message}`, ...fixes.map(({ title }) => `${title}.`)].join(" ");
