import { placedFindings } from "../../src/shared/labels.ts";
import type { ReportIntent, ReportState } from "../../src/shared/panels.ts";
import { epsilonFigure } from "../../src/shared/reportFigures.ts";
import { errorCard, findingsList } from "../lib/cards.ts";
import { h, onChange, type Part, setText, show } from "../lib/dom.ts";
import { figureCard } from "../lib/figureCard.ts";
import type { Save } from "../lib/figureFrame.ts";
import { button, enable } from "../lib/ui.ts";
import { contextOf, type ReportContext } from "./context.ts";
import { analyses } from "./parts/analyses.ts";
import { attentionSamples } from "./parts/attentionSamples.ts";
import { details } from "./parts/details.ts";
import { facts } from "./parts/facts.ts";
import { ledgerPart } from "./parts/ledgerPart.ts";
import { overviewTable } from "./parts/overviewTable.ts";

/** The Report: a list of sections, each a part of its own that draws from the same context. A new one is a line here. */
function sectionsOf(send: (intent: ReportIntent) => void): readonly Part<ReportContext>[] {
  const save: Save = (name, dataUrl) => send({ kind: "save", name, dataUrl });
  const ledger = ledgerPart(send);
  return [
    overviewTable((arm, attack) => ledger.focus(arm, attack)),
    overEpsilon(save),
    findings(),
    analyses(save),
    ledger,
    attentionSamples(save),
    details(),
    facts(),
  ];
}

export function createView(send: (intent: ReportIntent) => void): { element: HTMLElement; update(state: ReportState): void } {
  const title = h("h1");
  const subtitle = h("p", { class: "muted subtitle" });
  const html = button("Open report.html", () => send({ kind: "openHtml" }), { icon: "link-external" });
  const folder = button("Open folder", () => send({ kind: "openFolder" }), { icon: "folder-opened" });
  const error = errorCard(send);
  const empty = h("p", { class: "muted" }, "This run has no report yet. The report is written after the last attack.");
  const sections = sectionsOf(send);
  const body = h("div", { class: "report-body" }, ...sections.map(({ element }) => element));
  const header = h(
    "header",
    { class: "panel-header" },
    h("div", { class: "titles" }, title, subtitle),
    h("div", { class: "buttons" }, html, folder),
  );
  return {
    element: h("main", { class: "panel report" }, header, error.element, empty, body),
    update(state) {
      const { report, run } = state;
      setText(title, run.title);
      title.title = run.title;
      setText(subtitle, [run.headline, report ? new Date(report.finishedAt).toLocaleString() : run.status].filter(Boolean).join(" · "));
      error.update(state.error);
      enable(html, report !== null);
      show(empty, report === null && state.error === null);
      show(body, report !== null);
      const context = contextOf(state);
      if (context) for (const section of sections) section.update(context);
    },
  };
}

function overEpsilon(save: Save): Part<ReportContext> {
  const { element, update } = figureCard(save);
  const draw = onChange((report: ReportContext["report"]) => {
    const figure = epsilonFigure(report);
    show(element, figure !== null);
    if (figure) update(figure);
  });
  return { element, update: ({ report }) => draw(report) };
}

function findings(): Part<ReportContext> {
  const { element, update } = findingsList("No rule found anything suspicious.");
  return { element, update: ({ report, names }) => update(placedFindings(report.findings, names)) };
}
