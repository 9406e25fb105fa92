import "../../media/styles/base.css";
import "../../media/styles/chart.css";
import "../../media/styles/inspector.css";
import type { InspectorIntent, InspectorState, InspectorUpdate } from "../../src/shared/panels.ts";
import { connect } from "../lib/connect.ts";
import { mount } from "../lib/mount.ts";
import { keptSections } from "./keptSections.ts";
import { applyUpdate } from "./model.ts";
import { createView } from "./view.ts";

let state: InspectorState | null = null;
const show = (next: InspectorState): void => {
  state = next;
  connection.persist(next.runId);
  view.update(next);
};
const view = createView((intent) => connection.send(intent));
mount(view.element);
const connection = connect<InspectorState, InspectorUpdate, InspectorIntent>({
  state: show,
  update: (update) => {
    if (state) show(applyUpdate(state, update));
  },
});
keptSections(view.element, connection.layout);
