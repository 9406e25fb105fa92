import { describe, expect, it } from "vitest";
import { csvText } from "../../../src/shared/figures/data.ts";
import { el, html, Markup, nothing, tooltip } from "../../../src/shared/markup.ts";

const hostile = `</style><script>alert(1)</script>&"'`;
const harmless = "&lt;/style&gt;&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#39;";

describe("markup", () => {
  it("escapes every text, in elements and in attributes of either quote", () => {
    expect(html`<p title="${hostile}" lang='${hostile}'>${hostile}</p>`.text).toBe(
      `<p title="${harmless}" lang='${harmless}'>${harmless}</p>`,
    );
    expect(el("text", { fill: hostile }, hostile).text).toBe(`<text fill="${harmless}">${harmless}</text>`);
    expect(tooltip(hostile).text).toBe(`<title>${harmless}</title>`);
  });

  it("takes markup and lists of it as they stand, and nothing else", () => {
    const items = ["<b>", "c"].map((text) => html`<li>${text}</li>`);
    expect(html`<ul>${items}${nothing}</ul>`.text).toBe("<ul><li>&lt;b&gt;</li><li>c</li></ul>");
    expect(html`<p>${html`<b>${1.5}</b>`}</p>`.text).toBe("<p><b>1.5</b></p>");
    // What a damaged file may have in place of a text: lists and objects that look like markup are none.
    for (const forged of JSON.parse('[["<b>"], {"text": "<b>"}, [["<b>"]]]')) expect(html`${forged}`.text).not.toContain("<b>");
  });

  it("cannot be made in another way", () => {
    const forged: unknown = Object.assign(Object.create(Markup.prototype), { text2: "<b>" });
    expect(() => html`${forged as Markup}`).toThrow(TypeError);
  });
});

describe("a cell of a CSV file", () => {
  const cell = (value: string | number | null): string => csvText([[value, "end"]], "").replace(/,end$/, "");

  it.each(["=1+1", "+cmd", "-1+cmd", "@SUM(A1)", "\t=1", "＝1", "＋1", "－1", "＠a", "−a".replace("−", "-")])(
    "%j is a text to a spreadsheet",
    (formula) => {
      expect(cell(formula)).toBe(`'${formula}`);
    },
  );

  it("with a line break at its start is one too, in quotes", () => {
    expect(cell("\r=1")).toBe(`"'\r=1"`);
    expect(cell('=HYPERLINK("x","y")')).toBe(`"'=HYPERLINK(""x"",""y"")"`);
  });

  it("that is a number stays one", () => {
    expect([-0.5, "-0.5", "+1e-5", 1e-7, null].map(cell)).toEqual(["-0.5", "-0.5", "+1e-5", "1e-7", ""]);
  });
});
