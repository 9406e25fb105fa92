import path from "node:path";
import * as vscode from "vscode";
import { commands } from "../../shared/contributions.ts";
import { plural } from "../../shared/format.ts";
import { classesOf, type FoundData, findData, imagesIn } from "../data.ts";
import { createTree, row, type Tree, type TreeNode } from "./tree.ts";

const shownImages = 50;

/** Known data sets that were found, and folders with one subfolder for each class. */
export const dataTree = (): Tree => createTree(async () => (await findData()).map(dataNode));

function dataNode(data: FoundData): TreeNode {
  const isFolder = data.kind === "imageFolder";
  const item = row(data.label, {
    id: `${data.kind}:${data.directory}`,
    description: isFolder ? data.detail : data.kind,
    tooltip: data.directory,
    icon: isFolder ? "folder-library" : "database",
    context: `data.${data.kind}`,
    state: isFolder ? vscode.TreeItemCollapsibleState.Collapsed : vscode.TreeItemCollapsibleState.None,
    ...(isFolder ? {} : { command: { command: commands.previewData, title: "Preview", arguments: [data.spec] } }),
  });
  return {
    item,
    spec: data.spec,
    uri: vscode.Uri.file(data.directory),
    ...(isFolder ? { children: () => classNodes(data.directory) } : {}),
  };
}

const classNodes = async (directory: string): Promise<TreeNode[]> =>
  Promise.all(
    (await classesOf(directory)).map(async (name): Promise<TreeNode> => {
      const folder = path.join(directory, name);
      const images = await imagesIn(folder);
      const item = row(name, {
        id: folder,
        description: plural(images.length, "image"),
        icon: "folder",
        context: "class",
        state: vscode.TreeItemCollapsibleState.Collapsed,
      });
      return { item, children: async () => images.slice(0, shownImages).map((image) => imageNode(path.join(folder, image))) };
    }),
  );

function imageNode(file: string): TreeNode {
  const uri = vscode.Uri.file(file);
  const item = row(path.basename(file), {
    id: file,
    icon: "file-media",
    context: "image",
    command: { command: "vscode.open", title: "Open", arguments: [uri] },
  });
  return { item, uri };
}
