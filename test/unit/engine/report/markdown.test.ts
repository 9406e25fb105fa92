import { expect, it } from "vitest";
import { md, row } from "../../../../src/engine/report/markdown.ts";

it("escapes what would be markup, a link, a cell or a line of its own", () => {
  expect(md`- ${"a|b `c` *d* <e> [f](g) ~h~"}`.text).toBe("- a\\|b \\`c\\` \\*d\\* \\<e> \\[f\\](g) \\~h\\~");
  expect(md`${"a\n\n# b\r\n- c"}`.text).toBe("a # b - c");
  expect(md`${"see http://x.y and www.x.y or me@x.y &lt; \\"}`.text).toBe("see http\\://x.y and www\\.x.y or me\\@x.y \\&lt; \\\\");
  expect(["# a", "- a", "> a", "+ a", "=== a", "1. a", "  # a"].map((text) => md`${text}`.text)).toEqual([
    "\\# a",
    "\\- a",
    "\\> a",
    "\\+ a",
    "\\=== a",
    "1\\. a",
    "  \\# a",
  ]);
  expect(md`- ${"# a"}`.text).toBe("- \\# a");
  expect(row(["a|b", "c\nd"]).text).toBe("| a\\|b | c d |");
});

it("leaves plain texts and names as they are", () => {
  const plain = "label_smoothing: 61.0–67.3 % (95 %), ε 8/255; −0.5 - 1 & more @ 3 px";
  expect(md`- ${plain}`.text).toBe(`- ${plain}`);
  expect(md`**${"RB008"}**: ${"2. try"}`.text).toBe("**RB008**: 2. try");
});

it("does not take a text for a line", () => {
  const forged: unknown = { text: "<b>" };
  expect(() => md`${forged as string}`).toThrow(TypeError);
});
