import { readFile } from "node:fs/promises";
import path from "node:path";
import { escapeXml as e } from "../../shared/figures/svg.ts";
import { number } from "../../shared/format.ts";
import { armLabel, choiceLabel, knowledgeNote, type Names, namesOf, placedFindings } from "../../shared/labels.ts";
import { analysisPictures, attentionFigure, epsilonFigure } from "../../shared/reportFigures.ts";
import type { ArmReport, ExplanationResult, ExplanationSample, RunReport } from "../../shared/results.ts";
import { analysesHtml } from "./reportAnalysesHtml.ts";
import { type Curve, lossFigures } from "./reportCurve.ts";
import { figureHtml, figureIds, figuresHtml } from "./reportFigure.ts";
import { reportStyle } from "./reportStyle.ts";
import { htmlTable } from "./reportTable.ts";
import { mainTable, notesBelow, tableNotes } from "./reportText.ts";

/** `report.html`: one file that opens anywhere, pictures inside, no script. `directory` is the run folder with the pictures. */
export async function renderHtml(report: RunReport, directory: string, curves: readonly Curve[]): Promise<string> {
  const name = e(String(report.experiment["name"] ?? report.run));
  const nextId = figureIds();
  const names = namesOf(report);
  const overEpsilon = epsilonFigure(report);
  const pictures = await picturesOf(report, directory);
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${name} · Bulwark</title><style>${reportStyle}</style></head><body>
<header><h1>${name}</h1><p class="soft">${e(origin(report))}</p></header>
<main><h2>Robustness</h2>${table(report)}${figuresHtml(overEpsilon ? [overEpsilon] : [], nextId)}
${expectations(report)}
<h2>Findings</h2>${findings(report)}
${analysesHtml(report.analyses ?? [], { names, href: (file) => pictures.get(file) ?? "" }, nextId)}
${training(curves, nextId)}
${report.arms.map((arm) => explanations(arm, { pictures, names }, nextId)).join("\n")}
<h2>Settings</h2><details><summary>The experiment with every default filled in</summary><pre>${e(JSON.stringify(report.experiment, null, 2))}</pre></details>
</main></body></html>
`;
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

function table(report: RunReport): string {
  const notes = notesBelow(report).map((note) => `<li>${e(note)}</li>`);
  return `${htmlTable(mainTable(report))}
<p class="soft">${e(tableNotes(report))}</p><ul class="soft">${notes.join("")}</ul>`;
}

function expectations(report: RunReport): string {
  if (report.expect.length === 0) return "";
  const names = namesOf(report);
  const items = report.expect.map((expected) => {
    const { metric, arm, attack, min, max, value, met } = expected;
    const wanted = [min === undefined ? "" : `≥ ${min}`, max === undefined ? "" : `≤ ${max}`].filter(Boolean).join(" and ");
    const what = [metric, arm === undefined ? "" : names.arm(arm), attack === undefined ? "" : names.attack(attack)]
      .filter(Boolean)
      .join(" · ");
    return `<li class="${met ? "met" : "missed"}">${met ? "✓ met" : "✗ not met"}: ${e(what)} ${e(wanted)}, is ${number(value)}${knowledgeNote(expected)}</li>`;
  });
  return `<h2>Expected</h2><ul>${items.join("")}</ul>`;
}

function findings(report: RunReport): string {
  if (report.findings.length === 0) return "<p>No sanity rule fired.</p>";
  return placedFindings(report.findings, namesOf(report))
    .map(({ rule, severity, message, fix, place }) => {
      const where = place === "" ? "" : ` · ${e(place)}`;
      return `<div class="finding ${severity}"><strong>${e(rule)}</strong> ${severity}${where}<br>${e(message)} ${e(fix)}</div>`;
    })
    .join("");
}

function training(curves: readonly Curve[], nextId: () => string): string {
  const figures = figuresHtml(lossFigures(curves), nextId);
  return figures === "" ? "" : `<h2>Training</h2>${figures}`;
}

interface Shown {
  /** Data URIs by file. */
  readonly pictures: ReadonlyMap<string, string>;
  readonly names: Names;
}

function explanations(arm: ArmReport, { pictures, names }: Shown, nextId: () => string): string {
  if (arm.explanations.every(({ samples }) => samples.length === 0)) return "";
  const href = (file: string): string => pictures.get(file) ?? "";
  const one = (explanation: ExplanationResult): string => {
    const where = explanation.layer === null ? "" : ` at layer ${explanation.layer}`;
    const title = `Attention of the predicted class, ${choiceLabel(explanation)}${where}`;
    const figures = explanation.samples.map((sample) => figureHtml(attentionFigure(title, [sample], { href, names }), nextId));
    return `<p class="soft">${e(title)}: 0 <span class="scale"></span> 1</p><div class="samples">${figures.join("")}</div>`;
  };
  return `<h2>Before and after: ${e(armLabel(arm))}</h2>${arm.explanations.map(one).join("")}`;
}

const filesOf = ({ clean, adversarial }: ExplanationSample): string[] => [
  clean.image,
  clean.attention,
  adversarial.image,
  adversarial.attention,
];

/** The pictures of all samples and analyses as data URIs, by file; one that somebody deleted leaves its text. */
async function picturesOf({ arms, analyses = [] }: RunReport, directory: string): Promise<ReadonlyMap<string, string>> {
  const samples = arms.flatMap((arm) => arm.explanations.flatMap((explanation) => explanation.samples));
  const files = [...new Set([...samples.flatMap(filesOf), ...analysisPictures(analyses)])];
  const uris = await Promise.all(files.map((file) => dataUri(path.join(directory, file))));
  return new Map(files.map((file, i) => [file, uris[i] as string]));
}

async function dataUri(file: string): Promise<string> {
  const bytes = await readFile(file).catch(() => null);
  return bytes === null ? "" : `data:image/png;base64,${bytes.toString("base64")}`;
}
