import "../../media/styles/base.css";
import "../../media/styles/pages.css";
import type { ModelIntent, ModelState, ModelUpdate } from "../../src/shared/pages.ts";
import { connect } from "../lib/connect.ts";
import { mount } from "../lib/mount.ts";
import { createView } from "./view.ts";

const view = createView((intent) => connection.send(intent));
mount(view.element);
const connection = connect<ModelState, ModelUpdate, ModelIntent>({
  state(state) {
    connection.persist(state.runId);
    view.update(state);
  },
  update: () => undefined,
});
