import { type RuleTime, rules } from "../shared/rules.ts";

const titles: Readonly<Record<RuleTime, string>> = {
  file: "In the experiment file",
  model: "When a model is opened",
  attack: "After each attack",
  pair: "Comparing attacks",
  arm: "After each arm",
  run: "About the whole run",
  table: "In the table of results",
};
const remarks: Partial<Record<RuleTime, string>> = {
  file: "Problems in the editor, most of them with a quick fix.",
  pair: "On the same images, by an exact sign test. All comparisons of a run are corrected together (Holm 1979), so that at most 1 run in 20 in which all attacks are equally strong raises any of them.",
  table: "A column, not a finding.",
};
const costs = ["none", "one batch", "a short attack", "none: results that are there", "another run, offered only"] as const;

/** The catalogue of rules for readers, by what they look at. */
export function rulesPage(): string {
  const parts = (Object.keys(titles) as RuleTime[]).map((when) => {
    const own = rules.filter((rule) => rule.when === when);
    const rows = own.map(({ id, title, severity, cost, why }) => `| \`${id}\` | ${title} | ${severity} | ${costs[cost]} | ${why} |`);
    const table = ["| rule | finds | severity | cost | why |", "| --- | --- | --- | --- | --- |", ...rows].join("\n");
    return `## ${titles[when]}\n\n${remarks[when] ? `${remarks[when]}\n\n` : ""}${table}`;
  });
  return `
# Rules

A rule points at a result that looks too good, or at a setting that makes one. A finding is a reason to look, not a proof; it names the arm,
the attack and, where there is one, the place in the experiment file.

${parts.join("\n\n")}
`;
}
