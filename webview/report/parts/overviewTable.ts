import { percent } from "../../../src/shared/format.ts";
import { adaptiveNotes, upperBoundNotes } from "../../../src/shared/labels.ts";
import { fill, h, onChange, type Part } from "../../lib/dom.ts";
import type { ReportContext } from "../context.ts";
import { type ArmRow, type Cell, interval, type Overview } from "../tables.ts";

/** Arms × attacks. A cell leads to the images behind it. */
export function overviewTable(open: (arm: string, attack: string | null) => void): Part<ReportContext> {
  const element = h("section", { attributes: { "aria-label": "Accuracy" } });
  const draw = onChange(({ overview: shown, report }: ReportContext) => {
    const worst = worstColumns(shown.rows);
    const { certified } = shown;
    const proof = certified ? [certified.head] : [];
    const head = ["Arm", "Clean accuracy", ...proof, ...shown.columns.map((c) => c.text), ...worst.map(worstName)];
    const rows = shown.rows.map((row) =>
      h(
        "tr",
        {},
        h(
          "th",
          { title: row.label, attributes: { scope: "row" } },
          row.label,
          row.defense === row.label ? null : h("span", { class: "muted" }, ` ${row.defense}`),
        ),
        cell(row.clean, `${row.label}, clean`, null),
        ...proof.map((name) => cell(row.certified, `${row.label}, ${name.toLowerCase()}`, null)),
        ...shown.columns.map(({ key, text }) =>
          cell(row.attacks[key]?.cell ?? null, `${row.label} under ${text}`, () => open(row.arm, key)),
        ),
        ...worst.map((isStatic) =>
          cell(
            isStatic === row.isWorstStatic ? row.worst : null,
            `${row.label}, right under every ${isStatic ? "static " : ""}attack`,
            () => open(row.arm, null),
          ),
        ),
      ),
    );
    fill(
      element,
      h("h2", {}, "Accuracy under attack, with 95 % intervals"),
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
      h("p", { class: "muted small" }, legend(shown, report)),
    );
  });
  return { element, update: draw };
}

/** What the columns mean, and how adaptive attacks were made. */
const legend = (shown: Overview, report: ReportContext["report"]): string =>
  [
    "Arm: a network with its defences. Worst case: an image counts as right only when it is classified correctly under every attack. Click a number to see its images.",
    shown.columns.some(({ text }) => text.endsWith(", static"))
      ? "Adaptive: the attack knows the defence. Static: the images were made without the defence."
      : "",
    shown.rows.some(({ worst: counted, isWorstStatic }) => counted && isWorstStatic)
      ? "Static only: no adaptive attack was made on the arm, and its worst case says nothing about one."
      : "",
    shown.certified ? shown.certified.meaning : "",
    ...shown.uncertified,
    ...adaptiveNotes(report).map((note) => `${note}.`),
    ...upperBoundNotes(report.arms.flatMap(({ attacks }) => attacks)).map((note) => `${note}.`),
  ].join(" ");

/** The worst case of arms that no adaptive attack was made on has a column of its own. */
const worstColumns = (rows: readonly ArmRow[]): boolean[] =>
  [false, true].filter((isStatic) => rows.some(({ isWorstStatic }) => isWorstStatic === isStatic));
const worstName = (isStatic: boolean): string => (isStatic ? "Worst case (static only)" : "Worst case");

function cell(value: Cell | null, name: string, open: (() => void) | null): HTMLElement {
  if (value === null || value.share === null) return h("td", {}, "–");
  const text = [h("strong", {}, percent(value.share)), h("span", { class: "muted interval" }, interval(value)), bar(value)];
  const spoken = `${name}: ${percent(value.share)} of ${value.n} images, interval ${interval(value)}`;
  if (!open) return h("td", {}, h("div", { class: "figure", title: spoken }, ...text));
  return h(
    "td",
    {},
    h("button", { class: "figure", title: `${spoken}. Show its images.`, attributes: { type: "button" }, on: { click: open } }, ...text),
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
