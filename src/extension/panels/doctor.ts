import * as vscode from "vscode";
import { commands } from "../../shared/contributions.ts";
import { doctorIntents } from "../../shared/intents.ts";
import type { DoctorIntent, DoctorState, DoctorUpdate } from "../../shared/pages.ts";
import type { DoctorReport } from "../../shared/protocol.ts";
import { doctorText, examine } from "../doctor.ts";
import { panelError } from "../messages.ts";
import type { Services } from "../services.ts";
import type { PanelHost } from "./host.ts";
import { definePanel, type OwnIntent } from "./panel.ts";
import { rememberPage } from "./remembered.ts";

interface Session {
  readonly panel: vscode.WebviewPanel;
  state: DoctorState;
  /** Looks again. Undefined when that failed; the page says why. */
  examine(): Promise<DoctorReport | undefined>;
}

/** The one page about this machine. */
export const doctorPanel = definePanel<null, DoctorState, DoctorUpdate, DoctorIntent, Session>({
  name: "doctor",
  intents: doctorIntents,
  looks: ["again", "copy"],
  key: () => "",
  title: () => "Bulwark Doctor",
  roots: () => [],
  column: () => vscode.ViewColumn.Active,
  keepsFocus: false,
  read: async () => null,
  comeBack: (session) => void session.examine(),
  start(host, services) {
    const state: DoctorState = { runId: rememberPage(services, ""), status: "loading", report: null, error: null };
    const session: Session = { panel: host.panel, state, examine: () => look(host, services, session) };
    host.show(state);
    return session;
  },
  answer,
  errors: ({ state }) => [state.error],
  directory: () => "",
});

async function look(host: PanelHost<DoctorState, DoctorUpdate>, services: Services, session: Session): Promise<DoctorReport | undefined> {
  const show = (state: DoctorState): void => {
    session.state = state;
    host.show(state);
  };
  show({ ...session.state, status: "loading", error: null });
  try {
    const report = await examine(services);
    show({ ...session.state, status: "ready", report, error: null });
    return report;
  } catch (thrown) {
    services.log.error(thrown instanceof Error ? thrown : String(thrown));
    show({ ...session.state, status: "failed", report: null, error: panelError(thrown) });
    return undefined;
  }
}

async function answer(session: Session, { kind }: OwnIntent<DoctorIntent>): Promise<void> {
  if (kind === "copy") {
    if (session.state.report) await vscode.env.clipboard.writeText(doctorText(session.state.report));
    return;
  }
  if (kind !== "again") await vscode.commands.executeCommand(commands[kind]);
  await session.examine();
}
