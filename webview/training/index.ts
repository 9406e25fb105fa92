import "../../media/styles/base.css";
import "../../media/styles/chart.css";
import "../../media/styles/training.css";
import type { TrainingIntent, TrainingState, TrainingUpdate } from "../../src/shared/panels.ts";
import { connect } from "../lib/connect.ts";
import { mount } from "../lib/mount.ts";
import { createView } from "./view.ts";

let state: TrainingState | null = null;
const show = (next: TrainingState): void => {
  state = next;
  connection.persist(next.run.run);
  view.update(next);
};
const view = createView((intent) => connection.send(intent));
mount(view.element);
const connection = connect<TrainingState, TrainingUpdate, TrainingIntent>({
  state: show,
  update(update) {
    if (!state) return;
    if (update.kind === "events") show({ ...state, events: [...state.events, ...update.events] });
    else show({ ...state, run: update.run, error: update.error });
  },
});
