import { execFileSync } from "node:child_process";
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { readPngInside } from "../../../../src/engine/io/inside.ts";
import { renderAnalysesCsv, renderCsv } from "../../../../src/engine/report/reportCsv.ts";
import { renderHtml } from "../../../../src/engine/report/reportHtml.ts";
import { renderMarkdown } from "../../../../src/engine/report/reportMarkdown.ts";
import { isNameInside } from "../../../../src/shared/runs.ts";
import { exampleHistory, exampleReport, onePixelPng } from "../../../golden/exampleReport.ts";

let outside: string;
let run: string;
beforeAll(() => {
  outside = mkdtempSync(path.join(os.tmpdir(), "bulwark-outside-"));
  run = path.join(outside, "run");
  mkdirSync(path.join(run, "images"), { recursive: true });
  writeFileSync(path.join(outside, "secret.png"), onePixelPng);
  writeFileSync(path.join(outside, "secret.txt"), "secret");
  writeFileSync(path.join(run, "images/own.png"), onePixelPng);
  symlinkSync(path.join(outside, "secret.png"), path.join(run, "images/link.png"));
  symlinkSync(outside, path.join(run, "out"));
  linkSync(path.join(outside, "secret.txt"), path.join(run, "images/text.png"));
  execFileSync("mkfifo", [path.join(run, "images/pipe.png")]);
});
afterAll(() => rmSync(outside, { recursive: true, force: true }));

/** Words that decide how something is drawn; every other text is free. */
const words = /^(kind|format|norm|severity|scale|mode|knowledge|colours|positives|metric)$/;
/** The report with something behind every text in it. */
function withTexts<T>(value: T, more: string, key = ""): T {
  if (typeof value === "string") return (words.test(key) ? value : `${more}${value}${more}`) as T;
  if (Array.isArray(value)) return value.map((one) => withTexts(one, more, key)) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, withTexts(one, more, name)])) as T;
}

describe("a report whose every text is hostile", () => {
  const more = `"'><script>alert(1)</script><img src=x onerror=alert(2)>`;
  const curves = [{ arm: more, history: exampleHistory }];

  it("brings no markup of its own into report.html", async () => {
    const tags = (html: string) => [...html.matchAll(/<\/?[a-z][a-z0-9]*/gi)].map(([tag]) => tag);
    const names = (html: string) => new Set(tags(html));
    const plain = await renderHtml(exampleReport, run, [{ arm: "a", history: exampleHistory }]);
    const hostile = await renderHtml(withTexts(exampleReport, more), run, curves);
    expect(hostile).toContain("&lt;script&gt;alert(1)");
    expect([...names(hostile)].filter((tag) => !names(plain).has(tag))).toEqual([]);
    expect(hostile).not.toMatch(/<[^>]*\son[a-z]+=|<script|<img|javascript:/i);
  });

  it("brings no markup, link or table of its own into report.md", () => {
    const hostile = renderMarkdown(withTexts(exampleReport, "|<b>[x](http://x.y)`\n\n# "));
    expect(hostile).not.toMatch(/(?<!\\)<|(?<!\\)\[|(?<!\\)`|http:\/\//);
    const cells = (line: string) => line.split(/(?<!\\)\|/).length;
    const tables = hostile.split("\n\n").filter((block) => block.startsWith("|"));
    expect(tables.length).toBeGreaterThan(2);
    for (const table of tables) expect(new Set(table.trim().split("\n").map(cells)).size).toBe(1);
    expect(hostile.split("\n").filter((line) => line.startsWith("# "))).toHaveLength(1);
  });

  it.each(["=1+1", "+1+1", "-1+1", "@A1", "\t=1"])("has no cell in its CSV files that computes %j", (formula) => {
    const report = withTexts(exampleReport, formula);
    for (const csv of [renderCsv(report), renderAnalysesCsv(report)]) {
      expect(csv).toContain(`'${formula}`);
      const cells = [...csv.matchAll(/(?:^|,|\r\n)("?)([=+\-@\t][^,\r]*)/g)].map(([, , cell = ""]) => cell);
      expect(cells.filter((cell) => !/^[+-]?\d+(\.\d+)?(e[+-]?\d+)?"?$/.test(cell))).toEqual([]);
    }
  });
});

describe("a picture that a report names", () => {
  const asked = (name: string) => readPngInside(run, name);

  it("is read inside the run folder alone, and only where it is a PNG", async () => {
    expect(await asked("images/own.png")).toEqual(Buffer.from(onePixelPng));
    const elsewhere = ["../secret.png", "images/../../secret.png", path.join(outside, "secret.png"), "images/link.png", "out/secret.png"];
    for (const name of [...elsewhere, "images/text.png", "images/pipe.png", "images", "images/none.png", "", ".", "a\0b"])
      expect([name, await asked(name)]).toEqual([name, null]);
  });

  it("is not shown in report.html where it lies elsewhere", async () => {
    const base64 = Buffer.from(onePixelPng).toString("base64");
    const moved = (name: string) =>
      JSON.parse(JSON.stringify(exampleReport).replaceAll(/images\/[a-d]\.png/g, name)) as typeof exampleReport;
    expect(await renderHtml(moved("images/own.png"), run, [])).toContain(base64);
    for (const name of ["../secret.png", "images/link.png"]) expect(await renderHtml(moved(name), run, [])).not.toContain(base64);
  });
});

it.each([
  ["images/a.png", true],
  ["a..b/c..png", true],
  ["..", false],
  ["a/../b", false],
  ["a\\..\\b", false],
  ["/etc/passwd", false],
  ["\\\\host\\share", false],
  ["C:\\x", false],
  ["c:x", false],
  ["./", false],
  ["", false],
  ["a\0", false],
])("isNameInside(%j) is %s", (name, is) => {
  expect(isNameInside(name)).toBe(is);
});
