import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { renderCsv } from "../../src/engine/report/reportCsv.ts";
import { renderReport, reportFile, reportFormats } from "../../src/engine/report/reportFiles.ts";
import { renderHtml } from "../../src/engine/report/reportHtml.ts";
import { renderMarkdown } from "../../src/engine/report/reportMarkdown.ts";
import { mainTable, tableNotes } from "../../src/engine/report/reportText.ts";
import type { ArmReport, AttackSummary, RunReport } from "../../src/shared/results.ts";
import { exampleHistory, exampleReport, onePixelPng } from "./exampleReport.ts";

let run: string;
beforeAll(() => {
  run = mkdtempSync(path.join(os.tmpdir(), "bulwark-report-"));
  mkdirSync(path.join(run, "model"));
  mkdirSync(path.join(run, "images"));
  writeFileSync(path.join(run, "report.json"), JSON.stringify(exampleReport));
  writeFileSync(path.join(run, "model/training.json"), JSON.stringify({ history: exampleHistory }));
  for (const name of ["a", "b", "c", "d"]) writeFileSync(path.join(run, `images/${name}.png`), onePixelPng);
});
afterAll(() => rmSync(run, { recursive: true, force: true }));

/** A column after the quoted ones: counted from the end, where no cell holds a comma. */
function csvColumn(report: RunReport, name: string): (string | undefined)[] {
  const [heads = [], ...rows] = renderCsv(report)
    .trim()
    .split("\r\n")
    .map((line) => line.split(","));
  const fromEnd = heads.indexOf(name) - heads.length;
  return [heads, ...rows].map((cells) => cells.at(fromEnd));
}

describe("a report", () => {
  // UPDATE=1 accepts what is written now.
  it.each(["html", "md", "csv"] as const)("as %s is the one that was looked at", async (format) => {
    const text = readFileSync(await renderReport(run, format), "utf8");
    const golden = path.join(import.meta.dirname, "expected", reportFile[format]);
    if (process.env["UPDATE"] === "1" || !existsSync(golden)) {
      if (process.env["UPDATE"] !== "1") throw new Error(`${golden} is missing: UPDATE=1 writes it`);
      mkdirSync(path.dirname(golden), { recursive: true });
      writeFileSync(golden, text);
    }
    expect(text).toBe(readFileSync(golden, "utf8"));
  });

  it("as CSV brings every figure of the analyses in a file beside it", async () => {
    await renderReport(run, "csv");
    const lines = readFileSync(path.join(run, "analyses.csv"), "utf8").trim().split("\r\n");
    // 2 rows of 6 cells, 4 points, and the heads.
    expect(lines).toHaveLength(2 * 6 + 4 + 1);
    expect(lines).toContain("nPixel over <pixels>,table,In figures,1,difference,0.123,,");
    expect(lines).toContain("nPixel over <pixels>,chart,Accuracy under nPixel,volumized,4,0.5,0.43,0.57");
  });

  it("shows static and adaptive attacks side by side", async () => {
    const text = readFileSync(await renderReport(run, "md"), "utf8");
    // 50 and 180 of 200: Wilson 95 % 19.5–31.4 % and 85.1–93.4 %, worked out by hand.
    expect(text).toContain("| volumized | PGD, 40 steps, ε 0.3 | 200 | 98.0 % | 25.0 % | 19.5–31.4 % | 90.0 % | 85.1–93.4 % |");
  });

  it("shows what the static images do to a second undefended network, and explains it there alone", () => {
    const { heads, rows } = mainTable(exampleReport);
    expect(rows.map((cells) => cells[heads.indexOf("Second undefended network, static")])).toEqual(["–", "–", "88.0 %", "–"]);
    expect(csvColumn(exampleReport, "static_control_accuracy")).toEqual(["static_control_accuracy", "", "", "0.88"]);
    const alone = { ...exampleReport, arms: exampleReport.arms.slice(0, 1) };
    expect([exampleReport, alone].map((report) => tableNotes(report).includes("Second undefended network"))).toEqual([true, false]);
  });

  it("has β of the fooled where a defended arm stands beside an undefended one, and explains it there alone", () => {
    const alone = { ...exampleReport, arms: exampleReport.arms.slice(0, 1) };
    const under = (report: typeof exampleReport, head: string) => {
      const { heads, rows } = mainTable(report);
      return rows.map((cells) => (cells.length === heads.length ? cells[heads.indexOf(head)] : "not as long as the heads"));
    };
    expect(under(exampleReport, "β of fooled")).toEqual(["–", "–", "25.0 %", "–"]);
    expect(mainTable(alone).heads).not.toContain("β of fooled");
    expect([exampleReport, alone].map((report) => tableNotes(report).includes("β of fooled:"))).toEqual([true, false]);
    const empty = { ...exampleReport, arms: exampleReport.arms.map((arm, i) => (i === 0 ? { ...arm, attacks: [] } : arm)) };
    expect(under(empty, "β of fooled")).toEqual(["–", "25.0 %", "–"]);
  });

  it("as HTML stands alone: no script, nothing loaded from elsewhere, nothing of the experiment taken for markup", async () => {
    const html = readFileSync(await renderReport(run, "html"), "utf8");
    expect(html).not.toMatch(/<script|<link|https?:\/\/|url\(|@import/i);
    const sources = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, source]) => source);
    expect(sources).toHaveLength(4);
    expect(sources.every((source) => source?.startsWith("data:image/png;base64,"))).toBe(true);
    expect(html).toContain("A &lt;b&gt; &amp; B");
    expect(html).not.toContain("<b>");
  });

  it("has a row for the worst case of an arm that several attacks were made on, and explains it there alone", async () => {
    const text = readFileSync(await renderReport(run, "md"), "utf8");
    // 48 of 200: Wilson 95 % 18.6–30.4 %, worked out by hand.
    expect(text).toContain("| volumized | Worst case over all attacks | 200 | 98.0 % | 24.0 % | 18.6–30.4 % | – | – |");
    const alone = { ...exampleReport, arms: exampleReport.arms.slice(0, 1) };
    expect([exampleReport, alone].map((report) => tableNotes(report).includes("Worst case:"))).toEqual([true, false]);
    const [head, ...rows] = readFileSync(await renderReport(run, "csv"), "utf8")
      .trim()
      .split("\r\n");
    expect(head).toContain(",worst_accuracy,worst_low,worst_high,");
    expect(rows.map((row) => row.includes(",0.24,0.1861,0.3036,"))).toEqual([false, false, true]);
  });

  it("keeps a worst case over static attacks alone out of the adaptive figures, in every form", async () => {
    const [undefended, volumized] = exampleReport.arms as [ArmReport, ArmReport];
    const pgd = { ...(volumized.attacks[0] as AttackSummary), mode: "static" as const };
    const arm = { ...volumized, attacks: [pgd, { ...pgd, key: "pgd-2" }] };
    const expected = { metric: "worst.accuracy", arm: "volumized", min: 0.2, value: 0.24, met: true, knowledge: "static" as const };
    const report = { ...exampleReport, arms: [undefended, arm], expect: [expected] };
    const { heads, rows } = mainTable(report);
    // 48 of 200: Wilson 95 % 18.6–30.4 %, worked out by hand.
    expect(heads.slice(4, 8)).toEqual([
      "Accuracy under attack, adaptive",
      "95 % interval",
      "Accuracy under attack, static",
      "95 % interval",
    ]);
    expect(rows.at(-1)?.slice(1, 8)).toEqual([
      "Worst case over all attacks (static only)",
      "200",
      "98.0 %",
      "–",
      "–",
      "24.0 %",
      "18.6–30.4 %",
    ]);
    expect(renderMarkdown(report)).toContain("| worst.accuracy | volumized | all | ≥ 0.2 | 0.24 (static attacks only) | yes |");
    expect(await renderHtml(report, run, [])).toContain("is 0.24 (static attacks only)</li>");
    const worstMode = (of: RunReport): (string | undefined)[] => csvColumn(of, "worst_mode");
    expect(worstMode(report)).toEqual(["worst_mode", "", "", "static", "static"]);
    expect(worstMode(exampleReport)).toEqual(["worst_mode", "", "", "adaptive"]);
    expect([report, exampleReport].map((of) => tableNotes(of).includes("Static only:"))).toEqual([true, false]);
    const bare: AttackSummary = { ...pgd };
    delete (bare as { static?: unknown }).static;
    const transferredOnly = mainTable({ ...report, arms: [undefended, { ...arm, attacks: [bare] }] });
    expect(transferredOnly.heads[6]).toBe("Accuracy under attack, static");
    expect(transferredOnly.rows[2]?.slice(4, 8)).toEqual(["–", "–", "25.0 %", "19.5–31.4 %"]);
  });

  it("says how sure its figures are", async () => {
    // Wilson 95 % for 0 of 200 is 0–1.88 %; for 123 of 200, 54.6–68.0 %: worked out by hand.
    const text = readFileSync(await renderReport(run, "md"), "utf8");
    expect(text).toContain("0.0–1.9 %");
    expect(text).toContain("54.6–68.0 %");
  });

  it("knows only its formats, and only finished runs", async () => {
    expect(reportFormats).toEqual(["html", "md", "csv", "json"]);
    const refused = (folder: string, message: RegExp) =>
      expect(renderReport(folder, "html")).rejects.toMatchObject({ code: "RUN_NOT_FOUND", message: expect.stringMatching(message) });
    await refused(path.join(run, "images"), /is not the folder of a run/);
    const other = mkdtempSync(path.join(os.tmpdir(), "bulwark-no-report-"));
    writeFileSync(path.join(other, "state.json"), "{}");
    await refused(other, /is not finished/);
    writeFileSync(path.join(other, "result.json"), "{}");
    await refused(other, /holds one result and no report/);
    rmSync(other, { recursive: true });
  });
});
