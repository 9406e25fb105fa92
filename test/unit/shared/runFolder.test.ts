import { describe, expect, it } from "vitest";
import { renderAnalysesCsv, renderCsv } from "../../../src/engine/report/reportCsv.ts";
import { renderHtml } from "../../../src/engine/report/reportHtml.ts";
import { renderMarkdown } from "../../../src/engine/report/reportMarkdown.ts";
import { parseEvents } from "../../../src/shared/events.ts";
import { attackImageResult, patchDocument } from "../../../src/shared/pictureShapes.ts";
import { runReport } from "../../../src/shared/reportShape.ts";
import type { RunReport } from "../../../src/shared/results.ts";
import { runEvent, runState } from "../../../src/shared/runShapes.ts";
import { misfit, readAs, type Shape } from "../../../src/shared/shapes.ts";
import { states as inspectorStates } from "../../../webview/fixtures/inspector.ts";
import { states as reportStates } from "../../../webview/fixtures/report.ts";
import { states as trainingStates } from "../../../webview/fixtures/training.ts";
import { exampleReport } from "../../golden/exampleReport.ts";

/** What JSON leaves of a value. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
const read = <T>(shape: Shape<T>, value: unknown) => readAs(shape, JSON.stringify(value));

type Way = readonly (string | number)[];
function waysOf(value: unknown, way: Way = []): Way[] {
  if (typeof value !== "object" || value === null) return [way];
  return [way, ...Object.entries(value).flatMap(([key, one]) => waysOf(one, [...way, Array.isArray(value) ? Number(key) : key]))];
}
function changed(value: unknown, [step, ...rest]: Way, next: unknown): unknown {
  if (step === undefined) return next;
  if (Array.isArray(value)) return value.map((one, i) => (i === step ? changed(one, rest, next) : one));
  return { ...(value as object), [step]: changed((value as Readonly<Record<string, unknown>>)[step], rest, next) };
}
const wrongs = [undefined, null, -1, 0.5, 1e300, "x", "../../etc/passwd", true, [], [null], {}, { kind: "line" }];

describe("what our own code writes fits", () => {
  it("reports", () => {
    expect(misfit(runReport, plain(exampleReport))).toBe(null);
    const reports = Object.values(reportStates).flatMap(({ report }) => (report ? [report] : []));
    expect(reports.length).toBeGreaterThan(2);
    for (const report of reports) expect(misfit(runReport, plain(report))).toBe(null);
  });

  it("states and events of runs", () => {
    const all = Object.values(trainingStates);
    const events = all.flatMap((state) => state.events);
    expect(events.length).toBeGreaterThan(100);
    for (const { run } of all) expect(misfit(runState, plain(run))).toBe(null);
    for (const event of events) expect([event.kind, misfit(runEvent, plain(event))]).toEqual([event.kind, null]);
    expect(parseEvents(events.map((event) => JSON.stringify(event)).join("\n"))).toHaveLength(events.length);
  });

  it("results of an attack on one picture", () => {
    const results = Object.values(inspectorStates).flatMap(({ result }) => (result ? [result] : []));
    expect(results.length).toBeGreaterThan(2);
    for (const result of results) expect(misfit(attackImageResult, plain(result))).toBe(null);
  });

  it("and so does what older versions left out, and what JSON makes of NaN", () => {
    const report = plain(exampleReport) as unknown as { arms: { attacks: Record<string, unknown>[]; training: unknown }[] };
    const [first] = report.arms[0]?.attacks ?? [];
    for (const key of ["key", "label", "defenses", "how", "mode"]) delete first?.[key];
    Object.assign(first ?? {}, { seconds: Number.NaN, imagesPerSecond: Number.POSITIVE_INFINITY });
    expect(misfit(runReport, plain(report))).toBe(null);
  });
});

describe("a damaged file", () => {
  it("of a report is told in a sentence, or drawn: no change of one value breaks a renderer", async () => {
    const report = plain(exampleReport);
    let [told, drawn] = [0, 0];
    for (const way of waysOf(report))
      for (const wrong of wrongs) {
        const found = read(runReport, changed(report, way, wrong) ?? null);
        if ("wrong" in found) {
          expect(found.wrong).toMatch(/^[^\n]{5,400}$/);
          told++;
          continue;
        }
        if (drawn++ % 16 > 0) continue; // some of them: drawing takes a while
        const value = found.value as RunReport;
        await expect(renderHtml(value, "/nowhere", [])).resolves.toContain("</html>");
        expect(`${renderMarkdown(value)}${renderCsv(value)}${renderAnalysesCsv(value)}`).toContain("arm,");
      }
    expect(told).toBeGreaterThan(1000);
    expect(drawn).toBeGreaterThan(100);
  });

  it("that names a file elsewhere is refused", () => {
    const picture = plain(Object.values(inspectorStates).flatMap(({ result }) => result ?? [])[0]);
    expect(read(attackImageResult, picture)).toHaveProperty("value");
    for (const name of ["../secret.png", "/etc/passwd", "https://example.com/x.png", "file:///etc/passwd"])
      for (const way of [["before", "image"], ["after", "image"], ["difference"]])
        expect(read(attackImageResult, changed(picture, way, name))).toEqual({
          wrong: `${way.join(".")} is ${JSON.stringify(name)} but must name a file inside the run folder`,
        });
    expect(misfit(patchDocument, { version: 1, file: "../x.png" })).not.toBe(null);
  });

  it.each([
    ["", "it is not whole, or no JSON"],
    ['{"version":1', "it is not whole, or no JSON"],
    ["null", "the file is null but must be an object in { }"],
    ["[".repeat(100_000), "it is nested more than 200 deep"],
    [`{"a":${"[".repeat(300)}${"]".repeat(300)}}`, "it is nested more than 200 deep"],
  ])("%.20s: %s", (text, wrong) => {
    expect(readAs(runState, text)).toEqual({ wrong });
  });

  it("brackets inside texts nest nothing", () => {
    expect(readAs(runState, JSON.stringify({ title: '"\\[{'.repeat(1000) }))).not.toEqual({ wrong: "it is nested more than 200 deep" });
  });

  it("loses the lines of events that are none, and keeps the others", () => {
    const lines = [
      '{"t":1,"kind":"cancelled"}',
      '{"t":1,"kind":"finding","finding":{}}',
      '{"t":2,"kind":"go"}',
      "5",
      '{"t":3,"kind":"note","message":"n"}',
    ];
    expect(parseEvents(lines.join("\n")).map(({ kind }) => kind)).toEqual(["cancelled", "note"]);
  });
});
