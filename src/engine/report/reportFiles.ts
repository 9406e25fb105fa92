import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { runReport } from "../../shared/reportShape.ts";
import type { RunReport } from "../../shared/results.ts";
import { trainingHistory } from "../../shared/runShapes.ts";
import { armModelFolder, runFiles } from "../../shared/runs.ts";
import { exists, writeAtomic } from "../io/files.ts";
import { readShaped } from "../io/readShaped.ts";
import { renderAnalysesCsv, renderCsv } from "./reportCsv.ts";
import type { Curve } from "./reportCurve.ts";
import { renderHtml } from "./reportHtml.ts";
import { renderMarkdown } from "./reportMarkdown.ts";

export const reportFormats = ["html", "md", "csv", "json"] as const;
export type ReportFormat = (typeof reportFormats)[number];

/** Name of a format's file in the run folder. */
export const reportFile: Readonly<Record<ReportFormat, string>> = {
  html: runFiles.reportHtml,
  md: runFiles.reportMarkdown,
  csv: "report.csv",
  json: runFiles.report,
};

/** Tables and charts of analyses in figures, beside `report.csv` where there are any. */
const analysesCsv = "analyses.csv";

/** The report of a finished run. @throws RUN_NOT_FOUND, RUN_INVALID */
export async function readReport(directory: string): Promise<RunReport> {
  const file = path.join(directory, runFiles.report);
  if (!(await exists(file))) throw await noReport(directory);
  return readShaped(file, runReport, "Run the experiment again.");
}

async function noReport(directory: string): Promise<BulwarkError> {
  if (await exists(path.join(directory, runFiles.result)))
    return new BulwarkError(
      "RUN_NOT_FOUND",
      `${directory} holds one result and no report.`,
      `Read ${runFiles.result} in it; reports are of experiments (bulwark run).`,
    );
  if (!(await exists(path.join(directory, runFiles.state))))
    return new BulwarkError("RUN_NOT_FOUND", `${directory} is not the folder of a run.`, "Name the folder of a finished experiment.");
  return new BulwarkError(
    "RUN_NOT_FOUND",
    `The run in ${directory} is not finished and has no report yet.`,
    "Finish it with “bulwark resume”.",
  );
}

/** Writes one format from `report.json` and the pictures beside it; returns its path. */
export async function renderReport(directory: string, format: ReportFormat): Promise<string> {
  const report = await readReport(directory);
  const file = path.join(directory, reportFile[format]);
  if (format !== "json") await writeAtomic(file, await render(report, directory, format));
  if (format === "csv" && report.analyses?.length) await writeAtomic(path.join(directory, analysesCsv), renderAnalysesCsv(report));
  return file;
}

/** What every finished run has beside `report.json`. */
export async function writeReports(directory: string, report: RunReport): Promise<void> {
  for (const format of ["html", "md"] as const)
    await writeAtomic(path.join(directory, reportFile[format]), await render(report, directory, format));
}

async function render(report: RunReport, directory: string, format: Exclude<ReportFormat, "json">): Promise<string> {
  if (format === "md") return renderMarkdown(report);
  if (format === "csv") return renderCsv(report);
  return renderHtml(report, directory, await curves(report, directory));
}

/** Training histories lie beside the models. */
async function curves(report: RunReport, directory: string): Promise<Curve[]> {
  const found = await Promise.all(
    report.arms.map(async ({ name }, index) => {
      const file = path.join(directory, armModelFolder(index, name), "training.json");
      const record = (await exists(file))
        ? await readShaped(file, trainingHistory, "Remove the file to render the report without this curve.")
        : null;
      return { arm: name, history: record?.history ?? [] };
    }),
  );
  return found;
}
