import * as vscode from "vscode";

/** One row. Commands get the node itself, so it carries what they read: `uri`, `run` or `spec`. */
export interface TreeNode {
  readonly item: vscode.TreeItem;
  readonly uri?: vscode.Uri;
  readonly run?: string;
  readonly spec?: string;
  readonly children?: () => Promise<TreeNode[]>;
}
export interface Tree extends vscode.TreeDataProvider<TreeNode> {
  refresh(): void;
}

/** A tree from a function that makes its first level. */
export function createTree(roots: () => Promise<TreeNode[]>): Tree {
  const changed = new vscode.EventEmitter<void>();
  return {
    onDidChangeTreeData: changed.event,
    getTreeItem: (node) => node.item,
    getChildren: (node) => (node ? (node.children?.() ?? []) : roots()),
    refresh: () => changed.fire(),
  };
}

export interface RowOptions {
  readonly id?: string;
  readonly description?: string;
  readonly tooltip?: string;
  readonly icon: string;
  readonly color?: string;
  readonly context?: string;
  readonly command?: vscode.Command;
  readonly state?: vscode.TreeItemCollapsibleState;
}
export function row(label: string, o: RowOptions): vscode.TreeItem {
  const item = new vscode.TreeItem(label, o.state ?? vscode.TreeItemCollapsibleState.None);
  item.iconPath = new vscode.ThemeIcon(o.icon, o.color === undefined ? undefined : new vscode.ThemeColor(o.color));
  if (o.id !== undefined) item.id = o.id;
  if (o.description !== undefined) item.description = o.description;
  item.tooltip = o.tooltip ?? label;
  if (o.context !== undefined) item.contextValue = o.context;
  if (o.command !== undefined) item.command = o.command;
  return item;
}
