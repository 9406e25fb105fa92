import { defendDataset } from "../../engine/jobs/defendDataset.ts";
import { detectDataset } from "../../engine/jobs/detectDataset.ts";
import type { ImagesRequest } from "../../engine/jobs/overImages.ts";
import { predictDataset } from "../../engine/jobs/predictDataset.ts";
import { count, milliseconds, number, percent, plural } from "../../shared/format.ts";
import type { DetectDocument, PredictDocument } from "../../shared/images.ts";
import type { Args } from "../args.ts";
import { printJson, printText, tableText } from "../print.ts";
import type { Session } from "../session.ts";
import type { VerbAction } from "./index.ts";

/** Images shown line by line on the terminal; all are in the JSON. */
const shown = 20;

/** @throws USAGE unless either pictures or a data set are named, UNKNOWN_ID for a defence */
function imagesRequest(verb: string, args: Args, session: Session): ImagesRequest {
  const images = args.all("image");
  const dataset = args.dataset();
  if (images.length > 0 === (dataset !== null)) throw args.usage(`${verb} needs either --image or --dataset.`);
  return {
    images,
    dataset,
    split: args.oneOf("split", ["test", "train"], "test"),
    limit: args.integer("limit", 1) ?? null,
    defenses: args.chain("defense"),
    seed: session.seed,
    workspace: session.workspace,
    directory: args.text("out"),
    force: args.flag("force"),
  };
}

function finish<D>(
  args: Args,
  session: Session,
  { directory, document }: { directory: string; document: D },
  print: (d: D) => void,
): number {
  session.close();
  if (args.flag("json")) printJson(document);
  else {
    print(document);
    printText(`results: ${directory}`);
  }
  return 0;
}

export const predict: VerbAction = async (args, session) => {
  const model = args.required("model");
  const request = { ...imagesRequest("predict", args, session), model, gradient: args.flag("gradient") };
  const done = await predictDataset(request, await session.engine(), session.context());
  return finish(args, session, done, (document) => printPredictions(document, request.dataset !== null));
};

/** Pictures have no labels: how many are right cannot be told. */
function printPredictions({ n, accuracy, images }: PredictDocument, isLabelled: boolean): void {
  if (isLabelled) printText(`${percent(accuracy)} of ${plural(n, "image")} correct`);
  const rows = images.slice(0, shown).map((i) => [String(i.index), String(i.label), String(i.prediction), percent(i.probability)]);
  printText(tableText(["image", "label", "prediction", "probability"], rows));
  if (n > shown) printText(`and ${count(n - shown)} more`);
}

export const defend: VerbAction = async (args, session) => {
  const request = { ...imagesRequest("defend", args, session), model: args.text("model") ?? null };
  if (request.defenses.length === 0) throw args.usage("--defense is missing.");
  return finish(
    args,
    session,
    await defendDataset(request, await session.engine(), session.context()),
    ({ n, defense, milliseconds: time, files }) => {
      printText(`${defense.id}: ${plural(n, "image")}, ${milliseconds(time.mean)} each on average, 95 % within ${milliseconds(time.p95)}`);
      if (!files.defended) printText("The pictures differ in size: each is a PNG of its own, and there is no defended.npz.");
    },
  );
};

export const detect: VerbAction = async (args, session) => {
  const model = args.required("model");
  const id = args.required("detector");
  const detector = { id, params: args.params("detector", id) };
  const request = { ...imagesRequest("detect", args, session), model, detector };
  return finish(args, session, await detectDataset(request, await session.engine(), session.context()), printScores);
};

function printScores({ n, images }: DetectDocument): void {
  const rows = images.slice(0, shown).map((i) => [String(i.index), String(i.label), String(i.cleanPrediction), number(i.score)]);
  printText(tableText(["image", "label", "prediction", "score"], rows));
  if (n > shown) printText(`and ${count(n - shown)} more`);
}
