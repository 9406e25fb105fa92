import { count, plural } from "../../src/shared/format.ts";
import type { PreviewIntent, PreviewItem, PreviewState } from "../../src/shared/previews.ts";
import { errorCard } from "../lib/cards.ts";
import { fileUrl } from "../lib/connect.ts";
import { fill, h, onChange, type Part, setText, show } from "../lib/dom.ts";
import { dataTable } from "../lib/facts.ts";
import { button, dropdown, enable, icon, progressRing, section } from "../lib/ui.ts";
import { pictureGrid } from "./grid.ts";

/** Many pictures with their groups: a filter, a grid, counts, and what was left out. */
export function createView(send: (intent: PreviewIntent) => void): { element: HTMLElement; update(state: PreviewState): void } {
  const title = h("h1");
  const subtitle = h("p", { class: "muted subtitle" });
  const evaluate = button("Evaluate…", () => send({ kind: "evaluate" }), { icon: "beaker", appearance: "primary" });
  const folder = button("Open folder", () => send({ kind: "openFolder" }), { icon: "folder-opened" });
  const error = errorCard(send);
  const waiting = h("p", { class: "waiting", attributes: { role: "status" } }, progressRing("Reading the data"), "Reading the data…");
  const parts: readonly Part<PreviewState>[] = [notes(), pictures(send), counts(), skipped()];
  const body = h("div", { class: "page-body" }, ...parts.map(({ element }) => element));
  const header = h(
    "header",
    { class: "panel-header" },
    h("div", { class: "titles" }, title, subtitle),
    h("div", { class: "buttons" }, evaluate, folder),
  );
  return {
    element: h("main", { class: "panel page preview" }, header, error.element, waiting, body),
    update(state) {
      setText(title, state.title);
      setText(subtitle, state.subtitle);
      show(evaluate, state.canEvaluate);
      error.update(state.error);
      show(waiting, state.status === "loading");
      show(body, state.status === "ready");
      for (const part of parts) part.update(state);
    },
  };
}

function notes(): Part<PreviewState> {
  const element = h("div", { class: "stack" });
  const draw = onChange((texts: PreviewState["notes"]) => {
    show(element, texts.length > 0);
    fill(element, ...texts.map((text) => h("p", { class: "note" }, icon("info"), ` ${text}`)));
  });
  return { element, update: (state) => draw(state.notes) };
}

type Entry = PreviewItem & { readonly at: number };

function pictures(send: (intent: PreviewIntent) => void): Part<PreviewState> {
  let state: PreviewState | undefined;
  let group = "";
  const said = h("p", { class: "muted small", attributes: { role: "status" } });
  const attack = button("Attack", () => act("attack"), { icon: "shield", label: "Attack the selected picture" });
  const open = button("Open", () => act("open"), { icon: "go-to-file", label: "Open the selected picture" });
  const grid = pictureGrid<Entry>({
    label: "Pictures",
    render: (item) => thumbnail(item, state),
    select(item) {
      setText(said, item ? captionOf(item, state) : "");
    },
    open: (item) => state?.areFiles && send({ kind: "open", item: item.at }),
  });
  const act = (kind: "open" | "attack"): void => {
    if (grid.active) send({ kind, item: grid.active.at });
  };
  const filter = dropdown("Show", (value) => {
    group = value;
    fillGrid();
  });
  const fillGrid = (): void => {
    const all = (state?.items ?? []).map((item, at) => ({ ...item, at }));
    const shown = group === "" ? all : all.filter((item) => String(item.group) === group);
    grid.set(shown);
    for (const control of [attack, open]) enable(control, shown.length > 0);
  };
  const more = h("p", { class: "muted small" });
  const tools = h("div", { class: "toolbar" }, filter.element, h("div", { class: "buttons" }, attack, open), said);
  const element = h("section", { attributes: { "aria-label": "Pictures" } }, tools, more, grid.element);
  const draw = onChange((items: PreviewState["items"], next: PreviewState) => {
    show(element, items.length > 0);
    const choices = next.groups.map(({ name }, i) => ({ value: String(i), text: name }));
    group = choices.some(({ value }) => value === group) ? group : "";
    filter.set([{ value: "", text: `All ${next.grouping}` }, ...choices], group);
    show(attack, next.areFiles);
    show(open, next.areFiles);
    setText(
      more,
      items.length < next.total
        ? `${count(items.length)} of ${count(next.total)} pictures${next.groups.length > 1 ? ", the first of every class" : ""}.`
        : "",
    );
    fillGrid();
  });
  return {
    element,
    update(next) {
      state = next;
      draw(next.items, next);
    },
  };
}

const captionOf = (item: PreviewItem, state: PreviewState | undefined): string =>
  [item.name, item.note ?? state?.groups[item.group]?.name].filter(Boolean).join(" · ");

function thumbnail(item: PreviewItem, state: PreviewState | undefined): HTMLElement[] {
  const text = item.note ?? state?.groups[item.group]?.name ?? "";
  const picture = h("img", { attributes: { src: fileUrl(state?.base ?? "", item.file), alt: "", loading: "lazy", decoding: "async" } });
  const broken = h("span", { class: "muted small" }, "No preview");
  show(broken, false);
  picture.addEventListener("error", () => {
    show(picture, false);
    show(broken, true);
  });
  const frame = h("div", { class: "thumbnail" }, picture, broken);
  return [
    frame,
    h("span", { class: "grid-label", title: captionOf(item, state) }, text),
    h("span", { class: "visually-hidden" }, item.name),
  ];
}

function counts(): Part<PreviewState> {
  const element = h("div");
  const draw = onChange((groups: PreviewState["groups"], grouping: string) => {
    show(element, groups.length > 0);
    const table = dataTable(
      `Pictures by ${grouping}`,
      ["Name", "Pictures"],
      groups.map(({ name, count: n }) => [name, count(n)]),
    );
    table.classList.add("tall");
    fill(element, section(`${count(groups.length)} ${grouping}`, groups.length <= 12, table));
  });
  return { element, update: ({ groups, grouping }) => draw(groups, grouping) };
}

function skipped(): Part<PreviewState> {
  const element = h("div");
  const draw = onChange((files: PreviewState["skipped"]) => {
    show(element, files.length > 0);
    const table = dataTable(
      "Skipped files",
      ["File", "Why"],
      files.map(({ file, reason }) => [file, reason]),
    );
    table.classList.add("tall");
    fill(element, section(`${plural(files.length, "file")} skipped`, true, table));
  });
  return { element, update: (state) => draw(state.skipped) };
}
