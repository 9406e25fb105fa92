import * as vscode from "vscode";

/** Groups have commands by their place and no other way to be focused. */
const groups = ["First", "Second", "Third", "Fourth", "Fifth", "Sixth", "Seventh", "Eighth"] as const;

export interface Sought {
  readonly viewType: string;
  readonly title: string;
  /** The panel that is wanted has been restored. */
  isThere(): boolean;
  /** Panels of this kind that the extension knows. */
  known(): number;
}

/**
 * After a window reload a panel that lies behind another tab is not there for the extension until somebody looks at it. Looks at those of
 * one kind and title, so that they are restored and can be found, and no second one is opened.
 */
export async function wakeHidden(sought: Sought): Promise<void> {
  const tabs = tabsOf(sought.viewType);
  for (const { tab, index, group } of tabs) {
    if (sought.isThere() || tabs.length <= sought.known()) return;
    const focus = groups[group.viewColumn - 1];
    if (tab.label !== sought.title || tab.isActive || !focus) continue;
    const before = sought.known();
    await vscode.commands.executeCommand(`workbench.action.focus${focus}EditorGroup`);
    await vscode.commands.executeCommand("workbench.action.openEditorAtIndex", index);
    // Restoring reads a run folder: a moment.
    for (let waited = 0; waited < 1500 && sought.known() === before; waited += 50) await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

const tabsOf = (viewType: string) =>
  vscode.window.tabGroups.all.flatMap((group) =>
    group.tabs.flatMap((tab, index) =>
      tab.input instanceof vscode.TabInputWebview && tab.input.viewType.endsWith(viewType) ? [{ tab, index, group }] : [],
    ),
  );
