import path from "node:path";
import { newRunDirectory } from "../../engine/io/runStore.ts";
import { explainImage } from "../../engine/jobs/explainImage.ts";
import { rankPatches } from "../../engine/jobs/rankPatches.ts";
import { number, percent } from "../../shared/format.ts";
import type { RankPatchesParams } from "../../shared/protocol.ts";
import type { Args } from "../args.ts";
import { printJson, printText, tableText } from "../print.ts";
import type { Session } from "../session.ts";
import type { VerbAction } from "./index.ts";

const folder = (args: Args, session: Session, title: string): string => args.text("out") ?? newRunDirectory(session.workspace, title);

export const explain: VerbAction = async (args, session) => {
  const image = args.required("image");
  const model = args.required("model");
  const method = args.required("method");
  const params = args.params("explanation", method);
  const engine = await session.engine();
  await engine.model(model); // an unreadable model leaves no folder behind
  const directory = folder(args, session, `${method} ${path.basename(image)}`);
  const result = await explainImage({ image, model, method, params, directory, force: args.flag("force") }, engine, session.context());
  for (const note of result.notes ?? []) session.progress.tell(`note: ${note}`);
  if (args.flag("json")) printJson(result);
  else {
    printText(
      `${result.prediction.name} ${percent(result.prediction.probability)}, attention${result.layer === null ? "" : ` of layer ${result.layer}`}`,
    );
    printText(`area ${percent(result.area)} of the picture${result.degenerate ? "; the map is zero everywhere" : ""}`);
    printText(path.join(result.directory, result.overlay));
  }
  return 0;
};

export const rank: VerbAction = async (args, session) => {
  const image = args.required("image");
  args.required("patch");
  const measure = args.text("measure") ?? "mutualInformation";
  const params: RankPatchesParams = {
    image,
    patch: args.integer("patch", 1) ?? 1,
    stride: args.integer("stride", 0) ?? 0,
    measure,
    measureParams: args.params("measure", measure),
    order: args.oneOf("order", ["asc", "desc"], "asc"),
    reference: args.text("reference") ?? "mostSalient",
    onRemainder: args.oneOf("remainder", ["error", "reflectPad", "drop"], "error"),
    directory: folder(args, session, `rank ${path.basename(image)}`),
    force: args.flag("force"),
  };
  const { clean, directory, notes = [] } = await rankPatches(params, session.signal);
  for (const note of notes) session.progress.tell(`note: ${note}`);
  const { Z, patch, perm, scores, reference, manyTies } = clean;
  if (args.flag("json")) printJson({ Z, patch, perm, scores, reference, manyTies, directory, ...(notes.length > 0 ? { notes } : {}) });
  else {
    const rows = perm.map((slice, place) => [
      String(place),
      String(slice),
      number(Number(scores[slice]), 6),
      slice === reference ? "reference" : "",
    ]);
    printText(tableText(["place", "slice", "score", ""], rows));
    if (manyTies)
      printText("More than half of the slices share their score with another one: the order says little. Choose another measure.");
    printText(`slices: ${directory}`);
  }
  return 0;
};
