import path from "node:path";
import * as vscode from "vscode";
import { commands } from "../../shared/contributions.ts";
import { plural } from "../../shared/format.ts";
import { type FoundData, findData, imagesIn, labelledClasses } from "../data.ts";
import { picturesKind } from "../fit.ts";
import { createTree, row, type Tree, type TreeNode } from "./tree.ts";

const shownImages = 50;
const icons: Readonly<Record<string, string>> = { imageFolder: "folder-library", [picturesKind]: "file-media", arrays: "symbol-array" };

/** Known data sets, folders of labelled pictures, arrays, and pictures without labels. A click shows the pictures. */
export const dataTree = (): Tree => createTree(async () => (await findData()).map(dataNode));

function dataNode(data: FoundData): TreeNode {
  const hasClasses = data.classes !== null;
  const item = row(data.label, {
    id: data.spec,
    description: data.kind in icons ? data.detail : data.kind,
    tooltip: data.directory,
    icon: icons[data.kind] ?? "database",
    context: `data.${data.kind}`,
    state: hasClasses ? vscode.TreeItemCollapsibleState.Collapsed : vscode.TreeItemCollapsibleState.None,
    command: { command: commands.previewData, title: "Preview", arguments: [data.spec] },
  });
  return {
    item,
    spec: data.spec,
    uri: vscode.Uri.file(data.directory),
    ...(hasClasses ? { children: () => classNodes(data.directory) } : {}),
  };
}

const classNodes = async (directory: string): Promise<TreeNode[]> =>
  Promise.all(
    ((await labelledClasses(directory)) ?? []).map(async (folder): Promise<TreeNode> => {
      const images = await imagesIn(folder);
      const item = row(path.basename(folder), {
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
