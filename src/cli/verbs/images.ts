import { defendDataset } from "../../engine/jobs/defendDataset.ts";
import { detectDataset } from "../../engine/jobs/detectDataset.ts";
import type { ImagesRequest } from "../../engine/jobs/overImages.ts";
import { predictDataset } from "../../engine/jobs/predictDataset.ts";
import { count, milliseconds, number, percent, plural } from "../../shared/format.ts";
import type { DetectDocument, PredictDocument } from "../../shared/images.ts";
import type { Args } from "../args.ts";
import { classNamer } from "../classNamer.ts";
import { labelOf } from "../labels.ts";
import { linesShown, printJson, printText, tableText } from "../print.ts";
import type { Session } from "../session.ts";
import type { VerbAction } from "./index.ts";

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

async function finish<D>(
  args: Args,
  session: Session,
  { directory, document }: { directory: string; document: D },
  print: (d: D, directory: string) => void | Promise<void>,
): Promise<number> {
  session.close();
  if (args.flag("json")) printJson(document);
  else {
    await print(document, directory);
    printText(`results: ${directory}`);
  }
  return 0;
}

export const predict: VerbAction = async (args, session) => {
  const model = args.required("model");
  const request = { ...imagesRequest("predict", args, session), model, label: labelOf(args), gradient: args.flag("gradient") };
  const done = await predictDataset(request, await session.engine(), session.context());
  return finish(args, session, done, printPredictions);
};

async function printPredictions({ n, labels, accuracy, images }: PredictDocument, directory: string): Promise<void> {
  const name = await classNamer(directory);
  printText(labels ? missingText(labels) : `${percent(accuracy)} of ${plural(n, "image")} correct`);
  const rows = images
    .slice(0, linesShown)
    .map((i) => [String(i.index), labelText(i, labels, name), name(i.prediction), percent(i.probability)]);
  printText(tableText(["image", "label", "prediction", "probability"], rows));
  if (n > linesShown) printText(`and ${count(n - linesShown)} more`);
}

const missingText = (labels: "predicted" | "partly"): string =>
  `${labels === "predicted" ? "No image has a label" : "Not all images have labels"}: how many are correct cannot be told.`;
/** "–" where the model's own prediction stands for the label. */
const labelText = (
  { label, labelSource }: PredictDocument["images"][number] | DetectDocument["images"][number],
  labels: PredictDocument["labels"],
  name: (label: number) => string,
): string => (labels && !labelSource ? "–" : name(label));

export const defend: VerbAction = async (args, session) => {
  const request = { ...imagesRequest("defend", args, session), model: args.text("model") ?? null };
  if (request.defenses.length === 0) throw args.usage("--defense is missing.");
  return finish(
    args,
    session,
    await defendDataset(request, await session.engine(), session.context()),
    ({ n, defense, milliseconds: time, files }) => {
      printText(
        `${defense.id}: ${plural(n, "image")}, ${milliseconds(time.mean)} each${n === 1 ? "" : ` on average, 95 % within ${milliseconds(time.p95)}`}`,
      );
      if (!files.defended) printText("The pictures differ in size: each is a PNG of its own, and there is no defended.npz.");
    },
  );
};

export const detect: VerbAction = async (args, session) => {
  const model = args.required("model");
  const id = args.required("detector");
  const detector = { id, params: args.params("detector", id) };
  const request = { ...imagesRequest("detect", args, session), model, label: labelOf(args), detector };
  return finish(args, session, await detectDataset(request, await session.engine(), session.context()), printScores);
};

async function printScores({ n, labels, images }: DetectDocument, directory: string): Promise<void> {
  const name = await classNamer(directory);
  if (labels) printText(missingText(labels));
  const rows = images
    .slice(0, linesShown)
    .map((i) => [String(i.index), labelText(i, labels, name), name(i.cleanPrediction), number(i.score)]);
  printText(tableText(["image", "label", "prediction", "score"], rows));
  if (n > linesShown) printText(`and ${count(n - linesShown)} more`);
}
