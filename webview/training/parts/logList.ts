import { duration } from "../../../src/shared/format.ts";
import { fill, h, onChange, type Part, show } from "../../lib/dom.ts";
import { icon, section } from "../../lib/ui.ts";
import type { LogLine } from "../series.ts";

const icons: Readonly<Record<LogLine["kind"], string>> = {
  phase: "arrow-right",
  note: "info",
  warning: "warning",
  finding: "lightbulb",
  result: "check",
  end: "primitive-square",
};
const most = 500;

/** Phases, warnings and results as they came, the newest last. */
export function logList(): Part<readonly LogLine[]> {
  const list = h("ol", { class: "log plain", attributes: { tabindex: 0, "aria-label": "Events" } });
  const element = section("Events", true, list);
  const draw = onChange((count: number, lines: readonly LogLine[]) => {
    show(element, count > 0);
    const follows = list.scrollTop + list.clientHeight >= list.scrollHeight - 4;
    fill(
      list,
      ...lines
        .slice(-most)
        .map((line) =>
          h("li", { class: line.kind }, h("time", { class: "muted" }, duration(line.t)), icon(icons[line.kind]), h("span", {}, line.text)),
        ),
    );
    if (follows) list.scrollTop = list.scrollHeight;
  });
  let last: readonly LogLine[] = [];
  return {
    element,
    update(lines) {
      if (lines.length !== last.length) last = lines;
      draw(last.length, last);
    },
  };
}
