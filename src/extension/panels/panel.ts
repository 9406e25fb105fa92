import path from "node:path";
import * as vscode from "vscode";
import { commands, panels } from "../../shared/contributions.ts";
import type { CommonIntent, PanelError } from "../../shared/panels.ts";
import { runsFolder } from "../../shared/runs.ts";
import type { Shape } from "../../shared/shapes.ts";
import { isOwnFolder, isRecord } from "../files.ts";
import { actionsOf, applyFix, showError } from "../messages.ts";
import { readRunState } from "../runFolder.ts";
import type { Services } from "../services.ts";
import { requireTrust, resultFolders, rootFolder } from "../workspace.ts";
import { wakeHidden } from "./hidden.ts";
import { hostPanel, type PanelHost, type PanelName } from "./host.ts";
import { recallPage } from "./remembered.ts";
import { saveDataUrl } from "./save.ts";

/** Every panel that is open: by its name, then by the key of what it shows. Nothing else keeps a list of panels. */
export type OpenPanels = Map<PanelName, Map<string, PanelSession>>;
export interface PanelSession {
  readonly panel: vscode.WebviewPanel;
}

/** What a panel of one kind can be asked for beyond what all can. */
export type OwnIntent<Intent> = Exclude<Intent, CommonIntent>;

/** A run, as the panels that show one know it. */
export interface RunSubject {
  readonly directory: string;
  readonly title: string;
}

export const readRunSubject = async (directory: string): Promise<RunSubject> => ({
  directory,
  title: (await readRunState(directory))?.title ?? path.basename(directory),
});

/** What one kind of panel is. `Subject` is what a panel shows (an image, a run), `Session` what the extension keeps while it is open. */
export interface PanelDefinition<Subject, State, Update, Intent extends { readonly kind: string }, Session extends PanelSession> {
  readonly name: PanelName;
  /** Subjects of equal keys share one panel. */
  key(subject: Subject): string;
  title(subject: Subject): string;
  /** What its webview may ask for, beside the types of panels.ts. A message that does not fit is dropped. */
  readonly intents: Shape<Intent>;
  /** Kinds of its own intents that only look at what is there. All others need a folder that is trusted. */
  readonly looks: readonly OwnIntent<Intent>["kind"][];
  /** Folders whose files may be shown, beside those of the extension: that of what is shown. */
  roots(subject: Subject): readonly string[];
  /** Where a new panel goes; `open` are the panels of this kind. */
  column(open: readonly vscode.WebviewPanel[]): vscode.ViewColumn;
  /** The editor keeps the focus when a panel opens. */
  readonly keepsFocus: boolean;
  /** Where under a workspace folder the folders lie whose names the webviews remember; run folders when left out. */
  readonly folder?: string;
  /** The subject of a panel that comes back after a reload; undefined closes it. @param directory its folder; for a page, what it shows */
  read(directory: string): Promise<Subject | undefined>;
  /** A page about something that is no folder of results, by `rememberPage`: does what is done after a reload. */
  comeBack?(session: Session): void;
  /** Makes the session and shows the first state. */
  start(host: PanelHost<State, Update>, services: Services, subject: Subject): Session;
  /** What only this kind does. Save, fix, showLog and openFolder are answered for all kinds. */
  answer(session: Session, intent: OwnIntent<Intent>): Promise<void>;
  /** The errors on show; the button of one of them may come back as `fix`. */
  errors(session: Session): readonly (PanelError | null | undefined)[];
  /** Applies a fix that only this kind has; false leaves it to what all have. */
  fix?(session: Session, id: string): Promise<boolean>;
  /** The session's folder; empty while it has none. */
  directory(session: Session): string;
  /** Its folder is about to go: ends what writes there. What is on show stays. */
  leave?(session: Session): void;
  stop?(session: Session): void;
}

export interface PanelKind<Subject, Session> {
  /** The session about a subject, where its panel is open. */
  get(services: Services, key: string): Session | undefined;
  /** The panel of a subject: the one that is open, brought to the front, or a new one. */
  open(services: Services, subject: Subject, column?: vscode.ViewColumn): Session;
  /** The same, also where it was restored behind another tab and nobody has looked at it yet. */
  find(services: Services, subject: Subject, column?: vscode.ViewColumn): Promise<Session>;
  /** Makes a panel that VS Code opened by itself, as for a custom editor, the one of a subject. One that was open before is closed. */
  adopt(services: Services, panel: vscode.WebviewPanel, subject: Subject): Session;
  /** Lets a panel of the subject that lies unseen behind another tab come back, if there is one. */
  wake(services: Services, subject: Subject): Promise<void>;
  /** Ends what open panels write into a folder that is about to go. */
  leave(services: Services, directory: string): void;
  /** A panel that came back after a reload, from its folder (of a page: from what it shows) alone. Closed where there is nothing to show. */
  restore(services: Services, panel: vscode.WebviewPanel, directory: string): Promise<Session | undefined>;
  /** After a reload all a webview knows is `{runId}`: registers what reads everything else from that folder. */
  register(services: Services): void;
}

/** The one place where panels are made, found and restored. */
export function definePanel<Subject, State, Update, Intent extends { readonly kind: string }, Session extends PanelSession>(
  o: PanelDefinition<Subject, State, Update, Intent, Session>,
): PanelKind<Subject, Session> {
  const open: PanelKind<Subject, Session>["open"] = (services, subject, column) => {
    const known = sessionsOf(o, services);
    const place = (): vscode.ViewColumn => column ?? o.column([...known.values()].map(({ panel }) => panel));
    const session = known.get(o.key(subject));
    if (session) {
      session.panel.reveal(session.panel.viewColumn ?? place(), o.keepsFocus);
      return session;
    }
    const where = { viewColumn: place(), preserveFocus: o.keepsFocus };
    return attach(o, services, vscode.window.createWebviewPanel(panels[o.name], o.title(subject), where, {}), subject);
  };
  const wake: PanelKind<Subject, Session>["wake"] = (services, subject) => {
    const known = sessionsOf(o, services);
    const isThere = (): boolean => known.has(o.key(subject));
    return wakeHidden({ viewType: panels[o.name], title: o.title(subject), isThere, known: () => known.size });
  };
  const restore: PanelKind<Subject, Session>["restore"] = async (services, panel, directory) => {
    const subject = await o.read(directory);
    if (subject === undefined || sessionsOf(o, services).has(o.key(subject))) {
      panel.dispose();
      return undefined;
    }
    const session = attach(o, services, panel, subject);
    o.comeBack?.(session);
    return session;
  };
  return {
    get: (services, key) => sessionsOf(o, services).get(key),
    open,
    wake,
    restore,
    adopt(services, panel, subject) {
      sessionsOf(o, services).get(o.key(subject))?.panel.dispose();
      return attach(o, services, panel, subject);
    },
    leave(services, directory) {
      for (const session of sessionsOf(o, services).values()) if (o.directory(session) === directory) o.leave?.(session);
    },
    async find(services, subject, column) {
      await wake(services, subject);
      return open(services, subject, column);
    },
    register(services) {
      const serializer: vscode.WebviewPanelSerializer = {
        async deserializeWebviewPanel(panel, state) {
          const directory = o.comeBack ? recallPage(services, idOf(state) ?? "") : await folderOf(state, o.folder ?? runsFolder);
          if (directory === undefined) panel.dispose();
          else await restore(services, panel, directory);
        },
      };
      services.context.subscriptions.push(vscode.window.registerWebviewPanelSerializer(panels[o.name], serializer));
    },
  };
}

/** The open sessions of one kind by key. Only `attach` fills the map, so that each is a `Session`. */
function sessionsOf<Subject, State, Update, Intent extends { readonly kind: string }, Session extends PanelSession>(
  { name }: PanelDefinition<Subject, State, Update, Intent, Session>,
  { panels: open }: Services,
): Map<string, Session> {
  const known = open.get(name) ?? new Map<string, PanelSession>();
  open.set(name, known);
  return known as Map<string, Session>;
}

/** Makes a panel, new or restored, the panel of a subject. */
function attach<Subject, State, Update, Intent extends { readonly kind: string }, Session extends PanelSession>(
  o: PanelDefinition<Subject, State, Update, Intent, Session>,
  services: Services,
  panel: vscode.WebviewPanel,
  subject: Subject,
): Session {
  const known = sessionsOf(o, services);
  const key = o.key(subject);
  const host = hostPanel<State, Update, Intent>(panel, {
    extensionUri: services.context.extensionUri,
    name: o.name,
    roots: o.roots(subject),
    intents: o.intents,
    onMisfit: (why) => services.log.warn(`A message of the panel ${o.name} was dropped: ${why}.`),
    onIntent: (intent) => void answerAll(o, services, session, intent),
    onClose: () => {
      if (known.get(key) === session) known.delete(key);
      o.stop?.(session);
    },
  });
  panel.title = o.title(subject);
  const session = o.start(host, services, subject);
  known.set(key, session);
  return session;
}

const commonKinds: readonly string[] = ["save", "fix", "showLog", "openFolder"] satisfies readonly CommonIntent["kind"][];
const isOwn = <Intent extends { readonly kind: string }>(intent: Intent): intent is OwnIntent<Intent> => !commonKinds.includes(intent.kind);
const isCommon = (intent: { readonly kind: string }): intent is CommonIntent => commonKinds.includes(intent.kind);

/** What a person did in a panel. Whatever goes wrong and the panel does not show itself is shown as a message. */
async function answerAll<Subject, State, Update, Intent extends { readonly kind: string }, Session extends PanelSession>(
  o: PanelDefinition<Subject, State, Update, Intent, Session>,
  services: Services,
  session: Session,
  intent: Intent,
): Promise<void> {
  try {
    if (isOwn(intent)) {
      if (!o.looks.some((kind) => kind === intent.kind)) requireTrust();
      return await o.answer(session, intent);
    }
    if (!isCommon(intent)) return;
    const directory = o.directory(session);
    switch (intent.kind) {
      case "save":
        return await saveDataUrl(rootFolder(directory === "" ? undefined : directory), intent.name, intent.dataUrl);
      case "fix":
        if (await o.fix?.(session, intent.id)) return;
        return await applyFix(o.errors(session).find((e) => e && actionsOf(e).some(({ id }) => id === intent.id)) ?? null, intent.id);
      case "openFolder":
        if (o.folder === undefined) await vscode.commands.executeCommand(commands.revealRun, path.basename(directory));
        else await vscode.commands.executeCommand("revealInExplorer", vscode.Uri.file(directory));
        return;
      case "showLog":
        services.log.show(true);
    }
  } catch (thrown) {
    showError(services.log, thrown);
  }
}

function idOf(state: unknown): string | undefined {
  const id = isRecord(state) ? state["runId"] : undefined;
  return typeof id === "string" ? id : undefined;
}

/** The folder of `{runId}` in one of the open folders; an id that is a path is refused. */
export async function folderOf(state: unknown, folder: string): Promise<string | undefined> {
  const id = idOf(state);
  if (id === undefined || id === "" || id !== path.basename(id) || id.startsWith(".")) return undefined;
  for (const root of resultFolders()) {
    const directory = path.join(root, folder, id);
    if (await isOwnFolder(directory)) return directory;
  }
  return undefined;
}
