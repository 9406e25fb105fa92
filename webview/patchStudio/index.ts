import "../../media/styles/base.css";
import "../../media/styles/chart.css";
import "../../media/styles/patchStudio.css";
import type { StudioIntent, StudioState, StudioUpdate } from "../../src/shared/patchStudio.ts";
import { connect } from "../lib/connect.ts";
import { mount } from "../lib/mount.ts";
import { createView } from "./view.ts";

let state: StudioState | null = null;
const show = (next: StudioState): void => {
  state = next;
  connection.persist(next.session);
  view.update(next);
};
const view = createView((intent) => connection.send(intent));
mount(view.element);
const connection = connect<StudioState, StudioUpdate, StudioIntent>({
  state: show,
  update: ({ change }) => {
    if (state) show({ ...state, ...change });
  },
});
