import { percent } from "../../../src/shared/format.ts";
import { fill, h, onChange, type Part } from "../../lib/dom.ts";
import { type Cell, interval, type Overview } from "../tables.ts";

/** Arms × attacks. A cell leads to the images behind it. */
export function overviewTable(open: (arm: string, attack: string | null) => void): Part<Overview> {
  const element = h("section", { attributes: { "aria-label": "Accuracy" } });
  const draw = onChange((shown: Overview) => {
    const head = ["arm", "clean", ...shown.columns.map((c) => c.text), "worst case"];
    const rows = shown.rows.map((row) =>
      h(
        "tr",
        {},
        h(
          "th",
          { title: row.arm, attributes: { scope: "row" } },
          row.arm,
          row.defense === row.arm ? null : h("span", { class: "muted" }, ` ${row.defense}`),
        ),
        cell(row.clean, `${row.arm}, clean`, null),
        ...shown.columns.map(({ key, text }) => cell(row.attacks[key]?.cell ?? null, `${row.arm} under ${text}`, () => open(row.arm, key))),
        cell(row.worst, `${row.arm}, right under every attack`, () => open(row.arm, null)),
      ),
    );
    fill(
      element,
      h("h2", {}, "Accuracy with 95 % interval"),
      h(
        "div",
        { class: "table-scroll", attributes: { tabindex: 0, role: "group", "aria-label": "Accuracy table" } },
        h(
          "table",
          { class: "overview" },
          h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { attributes: { scope: "col" } }, text)))),
          h("tbody", {}, ...rows),
        ),
      ),
      h(
        "p",
        { class: "muted small" },
        [
          "Worst case: an image counts as right only when it is right under every attack. Choose a figure to see its images.",
          shown.columns.some(({ text }) => text.endsWith(", static"))
            ? "Adaptive: the attack knows the defence. Static: the images were made against the undefended arm."
            : "",
        ].join(" "),
      ),
    );
  });
  return { element, update: draw };
}

function cell(value: Cell | null, name: string, open: (() => void) | null): HTMLElement {
  if (value === null || value.share === null) return h("td", {}, "–");
  const text = [h("strong", {}, percent(value.share)), h("span", { class: "muted interval" }, interval(value)), bar(value)];
  const spoken = `${name}: ${percent(value.share)} of ${value.n} images, interval ${interval(value)}`;
  if (!open) return h("td", {}, h("div", { class: "figure", title: spoken }, ...text));
  return h(
    "td",
    {},
    h(
      "button",
      { class: "figure", title: spoken, attributes: { type: "button", "aria-label": `${spoken}. Show its images.` }, on: { click: open } },
      ...text,
    ),
  );
}

/** The share as a bar, its interval as a thinner line over it. */
function bar(value: Cell): HTMLElement {
  const share = h("span", { class: "share" });
  share.style.width = `${(value.share ?? 0) * 100}%`;
  const spread = h("span", { class: "spread" });
  spread.style.left = `${value.low * 100}%`;
  spread.style.width = `${Math.max(0.5, (value.high - value.low) * 100)}%`;
  return h("span", { class: "share-track", attributes: { "aria-hidden": "true" } }, share, spread);
}
