import path from "node:path";
import { Type } from "@sinclair/typebox";
import { armModelFolder, runFiles } from "../../shared/runs.ts";
import { list, readAs, type Shape, text } from "../../shared/shapes.ts";
import { locateModel } from "../importers/locate.ts";
import { exists, readText } from "../io/files.ts";

/** What is looked at of the defence of an arm: whether there is one. */
type Kinds = { readonly kind: string } | readonly { readonly kind: string }[];
interface Saved {
  readonly defense?: Kinds;
  readonly compare?: readonly { readonly name: string; readonly defense?: Kinds }[];
}
const kind = Type.Object({ kind: text });
const kinds: Shape<Kinds> = Type.Union([kind, list(kind)]);
const saved: Shape<Saved> = Type.Object({
  defense: Type.Optional(kinds),
  compare: Type.Optional(list(Type.Object({ name: text, defense: Type.Optional(kinds) }))),
});

/** The undefended model that the same run has trained, for a model in a run folder; undefined where there is none. */
export async function undefendedBeside(model: string): Promise<string | undefined> {
  const file = await locateModel(model).catch(() => null); // told when it is opened
  if (file === null) return undefined;
  const run = path.dirname(path.dirname(path.resolve(file)));
  const read = readAs(saved, await readText(path.join(run, runFiles.experiment)).catch(() => ""));
  if ("wrong" in read) return undefined;
  const arms = [{ name: "", defense: read.value.defense }, ...(read.value.compare ?? [])];
  const index = arms.findIndex(({ defense }) => isNone(defense));
  const folder = path.join(run, armModelFolder(index, arms[index]?.name ?? ""));
  return index >= 0 && (await exists(path.join(folder, "model.json"))) ? folder : undefined;
}

const isNone = (defense: Kinds | undefined): boolean => [defense ?? []].flat().every(({ kind }) => kind === "standard");
