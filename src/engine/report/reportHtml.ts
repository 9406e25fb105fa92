import { readFile } from "node:fs/promises";
import path from "node:path";
import { number, percent } from "../../shared/format.ts";
import { type ArmReport, type ExplanationSample, groupFindings, type RunReport } from "../../shared/results.ts";
import { analysesHtml, htmlTable } from "./reportAnalysesHtml.ts";
import { type Curve, lossCurves } from "./reportCurve.ts";
import { reportStyle } from "./reportStyle.ts";
import { mainTable, notesBelow, tableNotes } from "./reportText.ts";

export const escapeHtml = (text: string): string =>
  text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll('"', "&quot;");
const e = escapeHtml;

/** `report.html`: one file that opens anywhere, pictures inside, no script. `directory` is the run folder with the pictures. */
export async function renderHtml(report: RunReport, directory: string, curves: readonly Curve[]): Promise<string> {
  const name = e(String(report.experiment["name"] ?? report.run));
  const chart = lossCurves(curves, e);
  const pictures = await Promise.all(report.arms.map((arm) => explanations(arm, directory)));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>${name} · Bulwark</title><style>${reportStyle}</style></head><body>
<header><h1>${name}</h1><p class="soft">${e(origin(report))}</p></header>
<main><h2>Robustness</h2>${table(report)}
${expectations(report)}
<h2>Findings</h2>${findings(report)}
${analysesHtml(report.analyses ?? [], e)}
${chart === "" ? "" : `<h2>Training</h2>${chart}`}
${pictures.join("\n")}
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
  return `${htmlTable(mainTable(report), e)}
<p class="soft">${e(tableNotes(report))}</p><ul class="soft">${notes.join("")}</ul>`;
}

function expectations(report: RunReport): string {
  if (report.expect.length === 0) return "";
  const items = report.expect.map(({ metric, arm, attack, min, max, value, met }) => {
    const wanted = [min === undefined ? "" : `≥ ${min}`, max === undefined ? "" : `≤ ${max}`].filter(Boolean).join(" and ");
    const what = [metric, arm, attack].filter(Boolean).join(" · ");
    return `<li class="${met ? "met" : "missed"}">${met ? "✓ met" : "✗ not met"}: ${e(what)} ${e(wanted)}, is ${number(value)}</li>`;
  });
  return `<h2>Expected</h2><ul>${items.join("")}</ul>`;
}

function findings(report: RunReport): string {
  if (report.findings.length === 0) return "<p>No sanity rule fired.</p>";
  return groupFindings(report.findings)
    .map(({ rule, severity, message, fix, arm, attack }) => {
      const where = [arm, attack].filter(Boolean).join(" · ");
      return `<div class="finding ${severity}"><strong>${e(rule)}</strong> ${severity}${where ? ` · ${e(where)}` : ""}<br>${e(message)} ${e(fix)}</div>`;
    })
    .join("");
}

async function explanations(arm: ArmReport, directory: string): Promise<string> {
  if (arm.explanations.every(({ samples }) => samples.length === 0)) return "";
  const parts = await Promise.all(
    arm.explanations.map(async (explanation) => {
      const figures = await Promise.all(explanation.samples.map((sample) => sampleFigure(sample, directory)));
      const scale = `<p class="soft">Attention of the predicted class, ${e(explanation.id)} at layer ${e(explanation.layer)}: 0 <span class="scale"></span> 1</p>`;
      return `${scale}<div class="samples">${figures.join("")}</div>`;
    }),
  );
  return `<h2>Before and after: ${e(arm.name)}</h2>${parts.join("")}`;
}

async function sampleFigure(sample: ExplanationSample, directory: string): Promise<string> {
  const picture = async (file: string, text: string): Promise<string> =>
    `<div><img src="${await dataUri(path.join(directory, file))}" alt="${e(text)}"><span>${e(text)}</span></div>`;
  const { clean, adversarial } = sample;
  const isChanged = clean.prediction !== adversarial.prediction;
  const quad = await Promise.all([
    picture(clean.image, `clean ${clean.prediction}`),
    picture(clean.attention, "attention"),
    picture(adversarial.image, `attacked ${adversarial.prediction}${isChanged ? " ✗" : ""}`),
    picture(adversarial.attention, "attention"),
  ]);
  const caption = `${sample.attack}, image ${sample.index}, class ${sample.label}; areas overlap ${percent(sample.iou)} (IoU)`;
  return `<figure class="sample"><div class="quad">${quad.join("")}</div><figcaption>${e(caption)}</figcaption></figure>`;
}

async function dataUri(file: string): Promise<string> {
  const bytes = await readFile(file).catch(() => null); // a picture that somebody deleted leaves its text
  return bytes === null ? "" : `data:image/png;base64,${bytes.toString("base64")}`;
}
