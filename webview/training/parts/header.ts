import { bytes, count, duration, number, percent } from "../../../src/shared/format.ts";
import { isUnderWay } from "../../../src/shared/lifecycle.ts";
import type { TrainingIntent, TrainingState } from "../../../src/shared/panels.ts";
import type { RunStatus } from "../../../src/shared/runs.ts";
import { fill, h, onChange, type Part, setText, show } from "../../lib/dom.ts";
import { button, icon } from "../../lib/ui.ts";
import type { Summary } from "../series.ts";

const statusText: Readonly<Record<RunStatus, readonly [icon: string, text: string]>> = {
  running: ["sync", "Running"],
  done: ["check", "Done"],
  failed: ["error", "Failed"],
  cancelled: ["circle-slash", "Cancelled"],
  interrupted: ["debug-pause", "Interrupted"],
  elsewhere: ["remote", "Running on another machine"],
};

/** Which arm and epoch, how fast, how long still; and the buttons that make sense now. */
export function header(send: (intent: TrainingIntent) => void): Part<{ state: TrainingState; summary: Summary }> {
  const title = h("h1");
  const status = h("p", { class: "subtitle status", attributes: { "aria-live": "polite" } });
  const facts = h("dl", { class: "figures" });
  const bar = h(
    "div",
    {
      class: "progress",
      attributes: { role: "progressbar", "aria-label": "Progress of the run", "aria-valuemin": 0, "aria-valuemax": 100 },
    },
    h("div", { class: "progress-done" }),
  );
  const cancel = button("Cancel", () => send({ kind: "cancel" }), { icon: "debug-stop", label: "Cancel the run (Esc)" });
  const resume = button("Resume", () => send({ kind: "resume" }), { icon: "play", appearance: "primary" });
  const folder = button("Open folder", () => send({ kind: "openFolder" }), { icon: "folder-opened" });
  const report = button("Open report", () => send({ kind: "openReport" }), { icon: "graph", appearance: "primary" });
  const say = onChange((run: RunStatus, phase: string) =>
    fill(status, icon(statusText[run][0]), ` ${run === "running" && phase ? phase : statusText[run][1]}`),
  );
  return {
    element: h(
      "header",
      {},
      h(
        "div",
        { class: "panel-header" },
        h("div", { class: "titles" }, title, status),
        h("div", { class: "buttons" }, cancel, resume, folder, report),
      ),
      bar,
      facts,
    ),
    update({ state, summary }) {
      const { run } = state;
      setText(title, state.title);
      title.title = state.title;
      say(run.status, summary.phase);
      show(cancel, isUnderWay(run.status));
      show(resume, run.status === "interrupted" || run.status === "cancelled" || run.status === "failed");
      show(report, summary.hasReport || run.status === "done");
      const share = run.status === "done" ? 1 : (summary.overall ?? run.progress);
      show(bar, run.status !== "done");
      bar.setAttribute("aria-valuenow", String(Math.round(share * 100)));
      const done = bar.firstElementChild;
      if (done instanceof HTMLElement) done.style.width = `${share * 100}%`;
      fill(facts, ...figures(summary, isUnderWay(run.status), share));
    },
  };
}

function figures(summary: Summary, running: boolean, share: number): HTMLElement[] {
  const { arm, epoch, imagesPerSecond, etaSeconds, device, backend, memoryBytes } = summary;
  const all: readonly (readonly [string, string | null])[] = [
    ["Arm", arm],
    ["Epoch", epoch && `${epoch.now} / ${epoch.of}`],
    ["Speed", imagesPerSecond === null ? null : `${imagesPerSecond >= 100 ? count(imagesPerSecond) : number(imagesPerSecond)} images/s`],
    ["Done", running ? percent(share) : null],
    ["Remaining", running && etaSeconds !== null ? duration(etaSeconds) : null],
    ["Device", device ? `${device} (${backend})` : null],
    ["Memory", memoryBytes === null ? null : bytes(memoryBytes)],
  ];
  return all.flatMap(([name, value]) => (value === null ? [] : [h("div", {}, h("dt", {}, name), h("dd", {}, value))]));
}
