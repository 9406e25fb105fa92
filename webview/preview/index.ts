import "../../media/styles/base.css";
import "../../media/styles/pages.css";
import "../../media/styles/preview.css";
import type { PreviewIntent, PreviewState, PreviewUpdate } from "../../src/shared/previews.ts";
import { connect } from "../lib/connect.ts";
import { mount } from "../lib/mount.ts";
import { createView } from "./view.ts";

const view = createView((intent) => connection.send(intent));
mount(view.element);
const connection = connect<PreviewState, PreviewUpdate, PreviewIntent>({
  state(state) {
    connection.persist(state.runId);
    view.update(state);
  },
  update: () => undefined,
});
