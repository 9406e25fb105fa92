import { deviceNote } from "../../src/shared/devices.ts";
import type { DoctorIntent, DoctorState } from "../../src/shared/pages.ts";
import { errorCard } from "../lib/cards.ts";
import { fill, h, onChange, type Part, setText, show } from "../lib/dom.ts";
import { dataTable } from "../lib/facts.ts";
import { button, enable, icon, progressRing } from "../lib/ui.ts";

/** What can compute here, what was chosen and why, and what to do about the rest. */
export function createView(send: (intent: DoctorIntent) => void): { element: HTMLElement; update(state: DoctorState): void } {
  const subtitle = h("p", { class: "muted subtitle" });
  const again = button("Check again", () => send({ kind: "again" }), { icon: "refresh" });
  const copy = button("Copy as text", () => send({ kind: "copy" }), { icon: "copy" });
  const error = errorCard(send);
  const text = "Checking what can compute on this machine…";
  const waiting = h("p", { class: "waiting", attributes: { role: "status" } }, progressRing(text), text);
  const tables = found();
  const actions = h(
    "div",
    { class: "buttons" },
    button("Select backend…", () => send({ kind: "selectBackend" }), { icon: "chip" }),
    button("Select device…", () => send({ kind: "selectDevice" }), { icon: "server-environment" }),
    button("Install GPU runtime…", () => send({ kind: "installGpuRuntime" }), { icon: "cloud-download" }),
    button("Restart engine", () => send({ kind: "restartEngine" }), { icon: "debug-restart" }),
    button("Show log", () => send({ kind: "showLog" }), { icon: "output" }),
  );
  const header = h(
    "header",
    { class: "panel-header" },
    h("div", { class: "titles" }, h("h1", {}, "Bulwark Doctor"), subtitle),
    h("div", { class: "buttons" }, again, copy),
  );
  return {
    element: h("main", { class: "panel page doctor" }, header, error.element, waiting, tables.element, actions),
    update(state) {
      const { report, status } = state;
      setText(subtitle, report ? `Bulwark ${report.version} · Node ${report.node} · computes with ${report.selected}` : "");
      error.update(state.error);
      show(waiting, status === "loading");
      show(tables.element, report !== null);
      enable(again, status !== "loading");
      enable(copy, report !== null);
      tables.update(state);
    },
  };
}

function found(): Part<DoctorState> {
  const element = h("div", { class: "page-body" });
  const draw = onChange((report: DoctorState["report"]) => {
    if (!report) return;
    const { backends, selected, devices, selectedDevice, noDecoder } = report;
    const backendRows = backends.map(({ name, available, device, reason }) => [
      name,
      state(available, name === selected ? "in use" : "available"),
      (available ? device : reason) ?? "",
    ]);
    const deviceRows = devices.map((one) => [
      one.title,
      state(one.available, one.name === selectedDevice ? "taken by auto" : "available"),
      deviceNote(one),
    ]);
    fill(
      element,
      h("section", {}, h("h2", {}, "Backends"), dataTable("Backends", ["Backend", "State", "Name, or why not"], backendRows)),
      h(
        "section",
        {},
        h("h2", {}, "Devices of ONNX Runtime"),
        dataTable("Devices of ONNX Runtime", ["Device", "State", "Name, or why not"], deviceRows),
      ),
      ...(noDecoder ? [h("section", {}, h("h2", {}, "Pictures"), h("p", {}, noDecoder))] : []),
    );
  });
  return { element, update: ({ report }) => draw(report) };
}

const state = (available: boolean, text: string): HTMLElement =>
  h("span", { class: `state ${available ? "yes" : "no"}` }, icon(available ? "check" : "circle-slash"), available ? text : "not available");
