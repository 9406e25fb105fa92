import "../../media/styles/base.css";
import "../../media/styles/chart.css";
import "../../media/styles/report.css";
import type { ReportIntent, ReportState, ReportUpdate } from "../../src/shared/panels.ts";
import { connect } from "../lib/connect.ts";
import { mount } from "../lib/mount.ts";
import { createView } from "./view.ts";

const view = createView((intent) => connection.send(intent));
mount(view.element);
const connection = connect<ReportState, ReportUpdate, ReportIntent>({
  state(state) {
    connection.persist(state.run.run);
    view.update(state);
  },
  update: () => undefined,
});
