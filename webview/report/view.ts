import type { ReportIntent, ReportState } from "../../src/shared/panels.ts";
import { epsilonFigure } from "../../src/shared/reportFigures.ts";
import { type AnalysisResult, groupFindings } from "../../src/shared/results.ts";
import { errorCard, findingsList } from "../lib/cards.ts";
import { h, setText, show } from "../lib/dom.ts";
import { figureCard } from "../lib/figureCard.ts";
import { button, enable } from "../lib/ui.ts";
import { analyses } from "./parts/analyses.ts";
import { attentionSamples } from "./parts/attentionSamples.ts";
import { details } from "./parts/details.ts";
import { facts } from "./parts/facts.ts";
import { ledgerPart } from "./parts/ledgerPart.ts";
import { overviewTable } from "./parts/overviewTable.ts";
import { overview } from "./tables.ts";

/** One list for every report without analyses, so that nothing is drawn anew. */
const none: readonly AnalysisResult[] = [];

/** The Report: the table, what is suspicious, every image, and where it all came from. */
export function createView(send: (intent: ReportIntent) => void): { element: HTMLElement; update(state: ReportState): void } {
  const title = h("h1");
  const subtitle = h("p", { class: "muted subtitle" });
  const html = button("Open report.html", () => send({ kind: "openHtml" }), { icon: "link-external" });
  const folder = button("Open folder", () => send({ kind: "openFolder" }), { icon: "folder-opened" });
  const error = errorCard(send);
  const empty = h("p", { class: "muted" }, "This run has not written its report yet. It is written when the last attack has ended.");
  const save = (name: string, dataUrl: string): void => send({ kind: "save", name, dataUrl });
  const chart = figureCard(save);
  const analysed = analyses(save);
  const ledger = ledgerPart(send);
  const table = overviewTable((arm, attack) => {
    ledger.focus(arm, attack);
  });
  const findings = findingsList("No rule found anything suspicious.");
  const [attention, more, origin] = [attentionSamples(save), details(), facts()];
  const body = h(
    "div",
    { class: "report-body" },
    table.element,
    chart.element,
    findings.element,
    analysed.element,
    ledger.element,
    attention.element,
    more.element,
    origin.element,
  );
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
      if (!report) return;
      const shown = overview(report, state.ledger);
      table.update(shown);
      const curves = epsilonFigure(report);
      show(chart.element, curves !== null);
      if (curves) chart.update(curves);
      findings.update(groupFindings(report.findings));
      analysed.update(report.analyses ?? none);
      ledger.update(state);
      attention.update(state);
      more.update(shown);
      origin.update(report);
    },
  };
}
