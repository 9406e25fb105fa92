import { count, number } from "../../../src/shared/format.ts";
import type { LedgerRow } from "../../../src/shared/ledger.ts";
import type { ReportState } from "../../../src/shared/panels.ts";
import { fileUrl } from "../../lib/connect.ts";
import { h } from "../../lib/dom.ts";
import { icon } from "../../lib/ui.ts";
import type { ReportContext } from "../context.ts";
import type { Filter, Sort, SortColumn } from "../ledger.ts";

export interface LedgerView {
  readonly arm: string;
  /** Attack whose prediction and norms are shown. */
  readonly attack: string;
  readonly filter: Filter;
  readonly sort: Sort;
}

const columns: readonly { readonly sort: SortColumn | null; readonly text: string; readonly title: string; readonly class: string }[] = [
  { sort: null, text: "", title: "", class: "thumbs" },
  { sort: "index", text: "Image", title: "Place in the data set", class: "number" },
  { sort: "label", text: "Label", title: "True class", class: "name" },
  { sort: "cleanPrediction", text: "Clean", title: "Prediction without an attack", class: "name" },
  { sort: "prediction", text: "Attacked", title: "Prediction under the attack shown", class: "name" },
  { sort: "linf", text: "L∞", title: "Largest change of a pixel", class: "number norm" },
  { sort: "l2", text: "L2", title: "Length of the change", class: "number norm" },
  { sort: "l0", text: "Pixels", title: "Pixels that changed", class: "number norm" },
  {
    sort: "certified",
    text: "Certified",
    title: "Number of slices whose content cannot change the prediction, by proof",
    class: "number norm certified",
  },
  { sort: "broken", text: "Broken by", title: "Attacks that succeeded on this image", class: "broken" },
  { sort: null, text: "", title: "", class: "open" },
];

/** Heads that sort: once up, once down. */
export function columnHeads(sort: Sort, change: (sort: Sort) => void): HTMLElement[] {
  return columns.map((column) => {
    const { sort: by } = column;
    if (by === null) return h("span", { class: `cell ${column.class}` });
    const isSorted = by === sort.column;
    const direction = isSorted ? (sort.isDescending ? ", sorted downwards" : ", sorted upwards") : "";
    return h(
      "button",
      {
        class: `cell sort ${column.class}`,
        title: column.title,
        attributes: { type: "button", "aria-label": `Sort by ${column.text}${direction}` },
        on: { click: () => change({ column: by, isDescending: isSorted && !sort.isDescending }) },
      },
      column.text,
      isSorted ? icon(sort.isDescending ? "arrow-small-down" : "arrow-small-up") : null,
    );
  });
}

export function rowCells(row: LedgerRow, view: LedgerView, { state, names }: ReportContext, inspect: () => void): HTMLElement[] {
  const record = row.records[view.attack];
  const name = (index: number): string => state.classNames[index] ?? String(index);
  const cell = (kind: string, text: string, mark: HTMLElement | null = null): HTMLElement =>
    h("span", { class: `cell ${kind}`, title: text }, mark, h("span", { class: "cell-text" }, text));
  const wrong = (isWrong: boolean): HTMLElement =>
    h("span", {}, icon(isWrong ? "close" : "check"), h("span", { class: "visually-hidden" }, isWrong ? "wrong" : "right"));
  const rounded = record?.success && !record.successAfter8Bit ? " (not after 8 bits)" : record?.repaired ? " (moved to 8-bit levels)" : "";
  // For the mouse alone: an option of a list holds no controls, and Enter does the same.
  const open = h("span", { class: "icon-button", title: `Inspect image ${row.index}`, on: { click: inspect } }, icon("search"));
  return [
    thumbnails(row, view, state, (index) => name(index), names.attack(view.attack)),
    h("span", { class: "cell number", title: state.files[row.index] ?? "" }, h("span", { class: "cell-text" }, String(row.index))),
    cell("name", name(row.label)),
    cell(
      `name ${row.cleanPrediction === row.label ? "right" : "wrong"}`,
      name(row.cleanPrediction),
      wrong(row.cleanPrediction !== row.label),
    ),
    record
      ? cell(
          `name ${record.prediction === row.label ? "right" : "wrong"}`,
          `${name(record.prediction)}${rounded}`,
          wrong(record.prediction !== row.label),
        )
      : cell("name", "–"),
    cell("number norm", number(record?.linf)),
    cell("number norm", number(record?.l2)),
    cell("number norm", record ? count(record.l0) : "–"),
    cell("number norm certified", number(row.certified)),
    cell("broken", row.brokenBy.length === 0 ? "None" : row.brokenBy.map((attack) => names.attack(attack)).join("; ")),
    h("span", { class: "cell open" }, open),
  ];
}

function thumbnails(row: LedgerRow, view: LedgerView, state: ReportState, name: (index: number) => string, attack: string): HTMLElement {
  const files = state.ledger.find((part) => part.arm === view.arm && part.attack === view.attack)?.thumbnails[row.index];
  const picture = (file: string, alt: string): HTMLElement =>
    h("img", { attributes: { src: fileUrl(state.base, file), alt, loading: "lazy", width: 36, height: 36 } });
  if (!files) return h("span", { class: "cell thumbs" });
  return h(
    "span",
    { class: "cell thumbs" },
    picture(files.clean, `clean ${name(row.label)}`),
    picture(files.adversarial, `under ${attack}`),
  );
}
