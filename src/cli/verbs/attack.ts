import { attackDataset } from "../../engine/jobs/attackDataset.ts";
import { count, number, percent, points } from "../../shared/format.ts";
import { attackLabel, normsNote } from "../../shared/labels.ts";
import type { AttackDocument } from "../../shared/results.ts";
import { noLabelText, verdictOf, verdictText } from "../../shared/verdict.ts";
import type { Args } from "../args.ts";
import { hintsOfChoices } from "../hints.ts";
import { printJson, printText, tableText } from "../print.ts";
import { hosted } from "../runHost.ts";
import type { VerbAction } from "./index.ts";

export const attack: VerbAction = async (args, session) => {
  const model = args.required("model");
  const id = args.required("attack");
  const images = args.all("image");
  const dataset = args.dataset();
  if (images.length > 0 === (dataset !== null)) throw args.usage("attack needs either --image or --dataset.");
  if (args.flag("adaptive") && args.flag("static")) throw args.usage("An attack is either --adaptive or --static.");
  const surrogate = args.text("surrogate");
  if (surrogate !== undefined && !args.flag("static")) throw args.usage("--surrogate is for --static.");
  const params = {
    model,
    images,
    dataset,
    split: args.oneOf("split", ["test", "train"], "test"),
    limit: args.integer("limit", 1) ?? null,
    attack: { id, params: args.params("attack", id) },
    defenses: args.chain("defense"),
    mode: args.flag("static") ? ("static" as const) : args.flag("adaptive") ? ("adaptive" as const) : null,
    surrogate,
    seed: session.seed,
    workspace: session.workspace,
    directory: args.text("out"),
    force: args.flag("force"),
  };
  for (const hint of hintsOfChoices(params.attack, params.defenses)) session.progress.say(hint);
  const { directory, document } = await hosted(session, params.directory, (host) => attackDataset(params, host));
  return finishAttack(document, directory, args);
};

/** Prints what an attack has found. */
export function finishAttack(document: AttackDocument, directory: string, args: Args): number {
  if (args.flag("json")) printJson(document);
  else print(document, directory);
  return 0;
}

function print(d: AttackDocument, directory: string): void {
  const columns: readonly (readonly [head: string, cell: string])[] = [
    ["Attack", attackLabel(d)],
    ["Images", count(d.n)],
    ["Clean accuracy", percent(d.clean.accuracy)],
    ["Accuracy under attack", percent(d.attacked.accuracy)],
    ["Attack success rate", percent(d.successRate)],
    ["δ", points(d.robustness)],
    ["β", percent(d.defenseSuccess)],
    ["Wrong before attack", d.labels === "predicted" ? "–" : count(d.n - d.clean.correct)],
    ["Mean L∞", number(d.norms.linf.mean)],
    ["Mean L2", number(d.norms.l2.mean)],
    ["Images/s", number(d.imagesPerSecond)],
  ];
  const heads = columns.map(([head]) => head);
  printText(tableText(heads, [columns.map(([, cell]) => cell)]));
  printText(`Mean L∞ and mean L2 are ${normsNote}.`);
  if (d.labels === "predicted") printPictures(d);
  const target = d.attack.params["target"];
  const already = d.images.filter(({ label }) => label === target).length;
  if (already > 0 && d.labels === undefined)
    printText(`already of the target class: ${count(already)}, which count neither as misclassified nor as successes`);
  if (d.mode === "static") printText(`static attack: ${d.how ?? "the images were made without the defence"}`);
  if (d.mode === "adaptive" && d.how) printText(`adaptive attack: ${d.how}`);
  for (const { rule, message, fix } of d.findings) printText(`${rule}: ${message} ${fix}`);
  printText(`results: ${directory}`);
}

/** What became of each picture; there are no labels, so nothing is said to be right. */
function printPictures({ images }: AttackDocument): void {
  printText(noLabelText);
  for (const { index, cleanPrediction, prediction, target = null } of images) {
    const verdict = verdictOf({ label: null, clean: cleanPrediction, adversarial: prediction, target });
    const aim = target === null ? null : String(target);
    const names = { label: null, clean: String(cleanPrediction), adversarial: String(prediction), target: aim };
    printText(`image ${index}: ${verdictText(verdict, names)}`);
  }
}
