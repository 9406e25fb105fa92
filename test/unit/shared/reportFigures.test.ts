import { expect, test } from "vitest";
import { drawFigure } from "../../../src/shared/figures/draw.ts";
import { panelTheme } from "../../../src/shared/figures/theme.ts";
import { namesOf } from "../../../src/shared/labels.ts";
import { analysisFigures, attentionFigure, epsilonFigure } from "../../../src/shared/reportFigures.ts";
import type { AttackSummary, RunReport } from "../../../src/shared/results.ts";
import { states } from "../../../webview/fixtures/report.ts";

const report = states["done"]?.report;
if (!report) throw new Error("the fixture has a report");
const withAttacks = (change: (summary: AttackSummary) => AttackSummary[]): RunReport => ({
  ...report,
  arms: report.arms.map((arm) => ({ ...arm, attacks: arm.attacks.flatMap(change) })),
});

test("accuracy over ε is drawn only where an attack was run with several, clean accuracy at 0", () => {
  expect(epsilonFigure(report)).toBeNull();
  const twice = withAttacks((a) =>
    a.attack.id === "pgd"
      ? [
          {
            ...a,
            attack: { id: "pgd", params: { eps: 0.3 } },
            n: 10,
            attacked: { accuracy: 0, correct: 0 },
            clean: { accuracy: 1, correct: 10 },
          },
          { ...a, n: 10, attack: { id: "pgd", params: { eps: 0.1 } }, attacked: { accuracy: 0.5, correct: 5 } },
        ]
      : [],
  );
  const figure = epsilonFigure(twice);
  expect(figure?.series.map((one) => one.label)).toEqual(["undefended, PGD", "Volumized curriculum, PGD"]);
  const points = figure?.series[0]?.points ?? [];
  expect(points.map(({ x, y }) => [x, y])).toEqual([
    [0, 1],
    [0.1, 0.5],
    [0.3, 0],
  ]);
  const labelled = twice.arms.map((arm) => ({
    ...arm,
    attacks: arm.attacks.map((a) => ({ ...a, label: `CW-PGD-40, ε ${a.attack.params["eps"]}, 3 restarts` })),
  }));
  expect(epsilonFigure({ ...twice, arms: labelled })?.series[0]).toMatchObject({ label: "undefended, CW-PGD-40, 3 restarts", points });
  // Wilson's interval of 5 of 10 at 95 %: 0.2366 to 0.7634.
  expect(points[1]?.low).toBeCloseTo(0.2366, 4);
  expect(points[1]?.high).toBeCloseTo(0.7634, 4);
});

test("charts that reports held from the start are drawn as lines, before the figures of other kinds", () => {
  const axis = { label: "x", format: "number" } as const;
  const bars = { kind: "bar", title: "b", value: axis, groups: { label: "g", names: [] }, series: [] } as const;
  const drawn = analysisFigures(
    {
      charts: [{ title: "a", x: axis, y: axis, series: [{ label: "volumizedCurriculum, static", colour: 0, points: [] }] }],
      figures: [bars],
    },
    namesOf(report),
  );
  expect(drawn.map(({ kind, title }) => [kind, title])).toEqual([
    ["line", "a"],
    ["bar", "b"],
  ]);
  expect(drawn[0]?.kind === "line" && drawn[0].series[0]?.label).toBe("Volumized curriculum, static");
});

test("a sample is a row of four pictures that says what was predicted", () => {
  const side = (prediction: number) => ({ image: "i.png", attention: "a.png", prediction });
  const sample = { index: 3, label: 7, attack: "pgd", clean: side(7), adversarial: side(2), iou: 0.25 };
  const names = { attack: (key: string) => `attack ${key}` };
  const { rows } = attentionFigure("t", [sample], { href: (file) => `base/${file}`, className: (index) => `class ${index}`, names });
  expect(rows[0]?.label).toBe("attack pgd, image 3, class class 7; areas overlap 25.0 % (IoU)");
  expect(rows[0]?.pictures.map(({ href, text }) => [href, text])).toEqual([
    ["base/i.png", "class 7"],
    ["base/a.png", ""],
    ["base/i.png", "class 2 ✗"],
    ["base/a.png", ""],
  ]);
});

test("pictures of points are addresses where a panel shows them, and no part of a report or of a saved drawing", () => {
  const axis = { label: "x", format: "number" } as const;
  const points = [{ x: 0, y: 0, label: "image 7: cat", picture: "images/tsne-7.png" }];
  const cloud = { kind: "scatter", title: "t", x: axis, y: axis, series: [{ label: "cat", colour: 0, points }] } as const;
  const drawn = (href: (file: string) => string, isFile: boolean): string => {
    const [figure] = analysisFigures({ charts: [], figures: [cloud] }, namesOf(report), href);
    return figure ? drawFigure(figure, { ...panelTheme, width: 400, id: "f", isFile }).text : "";
  };
  const shown = drawn((file) => `panel:${file}`, false);
  expect(shown).toContain('data-picture="panel:images/tsne-7.png"');
  expect(shown).toContain("<title>image 7: cat</title>"); // coordinates of an embedding say nothing
  expect(drawn((file) => `panel:${file}`, true)).not.toContain("tsne-7.png");
  expect(drawn(() => "", false)).not.toContain("data-picture");
});
