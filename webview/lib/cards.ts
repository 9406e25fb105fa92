import { plural } from "../../src/shared/format.ts";
import type { CommonIntent, PanelError } from "../../src/shared/panels.ts";
import type { Finding, Severity } from "../../src/shared/results.ts";
import { ruleInfo } from "../../src/shared/rules.ts";
import { fill, h, onChange, type Part, show } from "./dom.ts";
import { button, icon } from "./ui.ts";

const severityIcon: Readonly<Record<Severity, string>> = { error: "error", warning: "warning", info: "info", hint: "lightbulb" };
const severityOrder: readonly Severity[] = ["error", "warning", "info", "hint"];

/** What happened, what to do about it as a button, and the log. Announced when it appears. */
export function errorCard(send: (intent: CommonIntent) => void): Part<PanelError | null> {
  const element = h("div", { class: "card error", attributes: { role: "alert" } });
  show(element, false); // nothing is wrong until a state says so
  const draw = onChange((error: PanelError | null) => {
    show(element, error !== null);
    if (!error) return;
    const { action } = error;
    fill(
      element,
      icon("error"),
      h(
        "div",
        { class: "card-text" },
        h("p", {}, h("strong", {}, error.error.message)),
        error.error.fix ? h("p", {}, error.error.fix) : null,
        h(
          "div",
          { class: "buttons" },
          action && button(action.label, () => send({ kind: "fix", id: action.id }), { appearance: "primary" }),
          ...(error.others ?? []).map(({ label, id }) => button(label, () => send({ kind: "fix", id }))),
          button("Show log", () => send({ kind: "showLog" }), { icon: "output" }),
          h("code", {}, error.error.code),
        ),
      ),
    );
  });
  return { element, update: draw };
}

/** `place`: what the finding is about, in words, where a list is about more than one thing. */
export type ListedFinding = Finding & { readonly place?: string };

/**
 * Findings, the severe ones first: rule, sentence, fix, and the buttons that a panel has for it. Not there when there are none, unless
 * `emptyText` says something.
 */
export function findingsList(
  emptyText: string | null,
  actionsOf: (finding: ListedFinding) => readonly HTMLElement[] = () => [],
): Part<readonly ListedFinding[]> {
  const element = h("section", { class: "findings", attributes: { "aria-label": "Findings" } });
  const draw = onChange((findings: readonly ListedFinding[]) => {
    show(element, findings.length > 0 || emptyText !== null);
    const sorted = [...findings].sort((a, b) => severityOrder.indexOf(a.severity) - severityOrder.indexOf(b.severity));
    fill(
      element,
      h("h2", {}, findings.length === 0 ? "Findings" : plural(findings.length, "finding")),
      findings.length === 0
        ? h("p", { class: "muted" }, emptyText)
        : h("ul", { class: "plain" }, ...sorted.map((finding) => item(finding, actionsOf(finding)))),
    );
  });
  return { element, update: draw };
}

/** Title and reason of a rule, to be read on hover. */
function ruleText(rule: string): string {
  const info = ruleInfo(rule);
  return info ? `${info.title}. ${info.why}` : rule;
}

function item(finding: ListedFinding, actions: readonly HTMLElement[]): HTMLElement {
  const { place } = finding;
  return h(
    "li",
    { class: `finding ${finding.severity}` },
    icon(severityIcon[finding.severity]),
    h(
      "div",
      {},
      h("p", {}, h("span", { class: "visually-hidden" }, `${finding.severity}: `), finding.message),
      h("p", { class: "muted" }, finding.fix),
      actions.length > 0 ? h("div", { class: "buttons" }, ...actions) : null,
      h("p", { class: "muted small" }, h("code", { attributes: { title: ruleText(finding.rule) } }, finding.rule), place && ` ${place}`),
    ),
  );
}
