import { number } from "../../shared/format.ts";
import { armLabel, choiceLabel, knowledgeNote, type Names, namesOf, placedFindings } from "../../shared/labels.ts";
import { html, type Markup, nothing } from "../../shared/markup.ts";
import { analysisPictures, attentionFigure, epsilonFigure } from "../../shared/reportFigures.ts";
import type { ArmReport, ExplanationResult, ExplanationSample, RunReport } from "../../shared/results.ts";
import { readPngInside } from "../io/inside.ts";
import { analysesHtml } from "./reportAnalysesHtml.ts";
import { type Curve, lossFigures } from "./reportCurve.ts";
import { figureHtml, figureIds, figuresHtml } from "./reportFigure.ts";
import { reportStyle } from "./reportStyle.ts";
import { htmlTable } from "./reportTable.ts";
import { mainTable, notesBelow, tableNotes } from "./reportText.ts";

/** `report.html`: one file that opens anywhere, pictures inside, no script. `directory` is the run folder with the pictures. */
export async function renderHtml(report: RunReport, directory: string, curves: readonly Curve[]): Promise<string> {
  const name = String(report.experiment["name"] ?? report.run);
  const nextId = figureIds();
  const names = namesOf(report);
  const overEpsilon = epsilonFigure(report);
  const pictures = await picturesOf(report, directory);
  return html`<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${name} · Bulwark</title><style>${reportStyle}</style></head><body>
<header><h1>${name}</h1><p class="soft">${origin(report)}</p></header>
<main><h2>Robustness</h2>${table(report)}${figuresHtml(overEpsilon ? [overEpsilon] : [], nextId)}
${expectations(report)}
<h2>Findings</h2>${findings(report)}
${analysesHtml(report.analyses ?? [], { names, href: (file) => pictures.get(file) ?? "" }, nextId)}
${training(curves, nextId)}
${report.arms.map((arm) => explanations(arm, { pictures, names }, nextId))}
<h2>Settings</h2><details><summary>The experiment with every default filled in</summary><pre>${JSON.stringify(report.experiment, null, 2)}</pre></details>
</main></body></html>
`.text;
}

function origin(report: RunReport): string {
  const environment = report.experiment["environment"];
  const facts = typeof environment === "object" && environment !== null ? (environment as Record<string, unknown>) : {};
  return [
    `Run ${report.run}`,
    `finished ${report.finishedAt.slice(0, 16).replace("T", " ")} UTC`,
    `Bulwark ${String(facts["version"] ?? "")}`,
    `${String(facts["backend"] ?? "")} on ${String(facts["device"] ?? "")}`,
    `seed ${String(report.experiment["seed"] ?? "")}`,
  ].join(" · ");
}

function table(report: RunReport): Markup {
  const notes = notesBelow(report).map((note) => html`<li>${note}</li>`);
  return html`${htmlTable(mainTable(report))}
<p class="soft">${tableNotes(report)}</p><ul class="soft">${notes}</ul>`;
}

function expectations(report: RunReport): Markup {
  if (report.expect.length === 0) return nothing;
  const names = namesOf(report);
  const items = report.expect.map((expected) => {
    const { metric, arm, attack, min, max, value, met } = expected;
    const wanted = [min === undefined ? "" : `≥ ${min}`, max === undefined ? "" : `≤ ${max}`].filter(Boolean).join(" and ");
    const what = [metric, arm === undefined ? "" : names.arm(arm), attack === undefined ? "" : names.attack(attack)]
      .filter(Boolean)
      .join(" · ");
    return html`<li class="${met ? "met" : "missed"}">${met ? "✓ met" : "✗ not met"}: ${what} ${wanted}, is ${number(value)}${knowledgeNote(expected)}</li>`;
  });
  return html`<h2>Expected</h2><ul>${items}</ul>`;
}

function findings(report: RunReport): readonly Markup[] {
  if (report.findings.length === 0) return [html`<p>No sanity rule fired.</p>`];
  return placedFindings(report.findings, namesOf(report)).map(({ rule, severity, message, fix, place }) => {
    const where = place === "" ? "" : ` · ${place}`;
    return html`<div class="finding ${severity}"><strong>${rule}</strong> ${severity}${where}<br>${message} ${fix}</div>`;
  });
}

function training(curves: readonly Curve[], nextId: () => string): Markup {
  const figures = lossFigures(curves);
  return figures.length === 0 ? nothing : html`<h2>Training</h2>${figuresHtml(figures, nextId)}`;
}

interface Shown {
  /** Data URIs by file. */
  readonly pictures: ReadonlyMap<string, string>;
  readonly names: Names;
}

function explanations(arm: ArmReport, { pictures, names }: Shown, nextId: () => string): Markup {
  if (arm.explanations.every(({ samples }) => samples.length === 0)) return nothing;
  const href = (file: string): string => pictures.get(file) ?? "";
  const one = (explanation: ExplanationResult): Markup => {
    const where = explanation.layer === null ? "" : ` at layer ${explanation.layer}`;
    const title = `Attention of the predicted class, ${choiceLabel(explanation)}${where}`;
    const figures = explanation.samples.map((sample) => figureHtml(attentionFigure(title, [sample], { href, names }), nextId));
    return html`<p class="soft">${title}: 0 <span class="scale"></span> 1</p><div class="samples">${figures}</div>`;
  };
  return html`<h2>Before and after: ${armLabel(arm)}</h2>${arm.explanations.map(one)}
`;
}

const filesOf = ({ clean, adversarial }: ExplanationSample): string[] => [
  clean.image,
  clean.attention,
  adversarial.image,
  adversarial.attention,
];

/** The pictures of all samples and analyses as data URIs, by file; one that somebody deleted, or that lies elsewhere, leaves its text. */
async function picturesOf({ arms, analyses = [] }: RunReport, directory: string): Promise<ReadonlyMap<string, string>> {
  const samples = arms.flatMap((arm) => arm.explanations.flatMap((explanation) => explanation.samples));
  const files = [...new Set([...samples.flatMap(filesOf), ...analysisPictures(analyses)])];
  const uris = await Promise.all(files.map((file) => dataUri(directory, file)));
  return new Map(files.map((file, i) => [file, uris[i] as string]));
}

async function dataUri(directory: string, file: string): Promise<string> {
  const bytes = await readPngInside(directory, file);
  return bytes === null ? "" : `data:image/png;base64,${bytes.toString("base64")}`;
}
