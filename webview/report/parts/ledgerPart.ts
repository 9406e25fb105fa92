import { attentionKept, attentionOverlap } from "../../../src/shared/attention.ts";
import { certifiedSlices } from "../../../src/shared/certificate.ts";
import { count } from "../../../src/shared/format.ts";
import type { Names } from "../../../src/shared/labels.ts";
import { type LedgerRow, ledgerRows } from "../../../src/shared/ledger.ts";
import type { ReportIntent } from "../../../src/shared/panels.ts";
import { fill, h, type Part, setText, show } from "../../lib/dom.ts";
import { button, type Choice, dropdown, enable } from "../../lib/ui.ts";
import { virtualList } from "../../lib/virtualList.ts";
import type { ReportContext } from "../context.ts";
import { arrange, type Filter, ledgerCsv, type Sort } from "../ledger.ts";
import { columnHeads, type LedgerView, rowCells } from "./ledgerRow.ts";

const rowHeight = 44;

/** Every image of an arm: what each attack did to it. Sorted, filtered, and opened in the Inspector with Enter. */
export function ledgerPart(
  send: (intent: ReportIntent) => void,
): Part<ReportContext> & { focus(arm: string, attack: string | null): void } {
  let context: ReportContext | null = null;
  let view: LedgerView = { arm: "", attack: "", filter: { kind: "all" }, sort: { column: "index", isDescending: false } };
  let shown: readonly LedgerRow[] = [];
  const change = (next: Partial<LedgerView>): void => {
    view = { ...view, ...next };
    draw();
  };
  const inspect = (row: LedgerRow): void => send({ kind: "inspect", index: row.index, arm: view.arm, attack: view.attack });
  const render = (row: LedgerRow): HTMLElement[] => (context ? rowCells(row, view, context, () => inspect(row)) : []);
  const list = virtualList<LedgerRow>({ label: "Images", rowHeight, render, open: inspect });
  const arm = dropdown("Arm", (value) => change({ arm: value, attack: attacksOf(context, value)[0] ?? "" }));
  const attack = dropdown("Attack shown", (value) => change({ attack: value }));
  const filter = dropdown("Images", (value) => change({ filter: JSON.parse(value) as Filter }));
  const heads = h("div", { class: "ledger-row ledger-head" });
  const summary = h("p", { class: "muted", attributes: { "aria-live": "polite" } });
  const none = h("p", { class: "muted" }, "No image fits this filter.");
  const saveCsv = (): void => {
    const text = ledgerCsv(shown, attacksOf(context, view.arm));
    send({ kind: "save", name: `images-${view.arm}.csv`, dataUrl: `data:text/csv;charset=utf-8,${encodeURIComponent(text)}` });
  };
  const csv = button("Save as CSV", saveCsv, { icon: "save" });
  const toolbar = h("div", { class: "toolbar" }, arm.element, attack.element, filter.element, csv);
  const inside = [h("h2", {}, "Images"), toolbar, summary, h("div", { class: "ledger-frame" }, heads, list.element), none];
  const element = h("section", { class: "ledger", attributes: { "aria-label": "Images" } }, ...inside);
  const draw = (): void => {
    if (!context) return;
    const attacks = attacksOf(context, view.arm);
    const rows = rowsOf(context, view.arm);
    shown = arrange(rows, view.filter, view.sort, view.attack);
    arm.set(named(armsOf(context), context.names.arm), view.arm);
    attack.set(named(attacks, context.names.attack), view.attack);
    filter.set(filters(attacks, context.names, rows), JSON.stringify(view.filter));
    fill(heads, ...columnHeads(view.sort, (sort: Sort) => change({ sort })));
    element.classList.toggle("has-certified", isCertified(rows));
    setText(summary, `${count(shown.length)} of ${count(rows.length)} images. Arrow keys move, Enter opens the Inspector.`);
    show(none, shown.length === 0);
    enable(csv, shown.length > 0);
    list.set(shown);
  };
  return {
    element,
    update(next) {
      const isNew = next.report.run !== context?.report.run || !armsOf(next).includes(view.arm);
      context = next;
      show(element, next.state.ledger.length > 0);
      const first = armsOf(next)[0] ?? "";
      if (isNew) view = { ...view, arm: first, attack: attacksOf(next, first)[0] ?? "", filter: { kind: "all" } };
      draw();
    },
    focus(nextArm, nextAttack) {
      const filterNow: Filter = nextAttack === null ? { kind: "survived" } : { kind: "broken", attack: nextAttack };
      change({ arm: nextArm, attack: nextAttack ?? view.attack, filter: filterNow });
      element.scrollIntoView({ block: "start" });
      list.element.focus({ preventScroll: true });
    },
  };
}

const named = (values: readonly string[], name: (value: string) => string): Choice[] =>
  values.map((value) => ({ value, text: name(value) }));
function rowsOf({ report, state }: ReportContext, name: string): LedgerRow[] {
  const arm = report.arms.find((one) => one.name === name);
  return ledgerRows(state.ledger, name, arm ? { certified: certifiedSlices(arm), attention: attentionOverlap(arm) } : {});
}
const isCertified = (rows: readonly LedgerRow[]): boolean => rows.some(({ certified }) => certified !== null);
const armsOf = (context: ReportContext | null): string[] => [...new Set(context?.state.ledger.map((part) => part.arm))];
const attacksOf = (context: ReportContext | null, arm: string): string[] =>
  (context?.state.ledger ?? []).filter((part) => part.arm === arm).map((part) => part.attack);

function filters(attacks: readonly string[], names: Names, rows: readonly LedgerRow[]): Choice[] {
  const option = (filter: Filter, text: string): Choice => ({ value: JSON.stringify(filter), text });
  return [
    option({ kind: "all" }, "All"),
    option({ kind: "survived" }, "Correct under every attack"),
    ...(isCertified(rows) ? [option({ kind: "certified" }, "Correct and certified")] : []),
    ...attacks.map((attack) => option({ kind: "broken", attack }, `Broken by ${names.attack(attack)}`)),
    ...(attacks.length > 1
      ? attacks.map((attack) => option({ kind: "brokenOnly", attack }, `Broken only by ${names.attack(attack)}`))
      : []),
    ...attacks
      .filter((attack) => rows.some(({ attention }) => attention[attack] !== undefined))
      .map((attack) =>
        option({ kind: "attentionKept", attack }, `Broken by ${names.attack(attack)}, attention stays (IoU ≥ ${attentionKept} %)`),
      ),
    option({ kind: "lost8Bit" }, "No longer adversarial after 8-bit rounding"),
    option({ kind: "repaired" }, "Moved to 8-bit levels to stay adversarial"),
    option({ kind: "wrong" }, "Wrong without an attack"),
  ];
}
