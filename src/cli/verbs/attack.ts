import { attackDataset } from "../../engine/jobs/attackDataset.ts";
import { explainSigns } from "../../engine/report/reportText.ts";
import { fitRules } from "../../shared/fit.ts";
import { count, number, parameterLabel, percent, points } from "../../shared/format.ts";
import { attackLabel, normsNote } from "../../shared/labels.ts";
import type { AttackDocument } from "../../shared/results.ts";
import { labelText, noLabelText, verdictOf, verdictText } from "../../shared/verdict.ts";
import type { Args } from "../args.ts";
import { classNamer } from "../classNamer.ts";
import { hintsOfChoices } from "../hints.ts";
import { labelOf } from "../labels.ts";
import { linesShown, printJson, printText, tableText } from "../print.ts";
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
    label: labelOf(args),
    fit: fitOf(args),
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

/** How named pictures are fitted. @throws USAGE beside a data set, which has a fit of its own */
function fitOf(args: Args) {
  if (args.text("fit") === undefined) return undefined;
  if (args.dataset() !== null) throw args.usage("--fit is for --image. A data set takes --dataset-set resize=…");
  return args.oneOf("fit", fitRules, "cover");
}

/** Prints what an attack has found. */
export async function finishAttack(document: AttackDocument, directory: string, args: Args): Promise<number> {
  if (args.flag("json")) printJson(document);
  else print(document, directory, await classNamer(directory));
  return 0;
}

function print(d: AttackDocument, directory: string, name: (label: number) => string): void {
  const columns: readonly (readonly [head: string, cell: string])[] = [
    ["Attack", attackLabel(d)],
    ["Images", count(d.n)],
    ["Clean accuracy", percent(d.clean.accuracy)],
    ["Accuracy under attack", percent(d.attacked.accuracy)],
    ["Attack success rate", percent(d.successRate)],
    ["δ", points(d.robustness)],
    ["β", percent(d.defenseSuccess)],
    ["Wrong before attack", d.labels ? "–" : count(d.n - d.clean.correct)],
    ["Mean L∞", number(d.norms.linf.mean)],
    ["Mean L2", number(d.norms.l2.mean)],
    ...(d.distances ? ([[`Median ${parameterLabel(d.distances.norm)}`, number(d.distances.median)]] as const) : []),
    ...(d.queries === undefined ? [] : ([["Queries", count(d.queries)]] as const)),
    ["Images/s", number(d.imagesPerSecond)],
  ];
  const heads = columns.map(([head]) => head);
  printText(tableText(heads, [columns.map(([, cell]) => cell)]));
  printText(`${explainSigns} Mean L∞ and mean L2 are ${normsNote}.`);
  printPictures(d, name);
  const target = d.attack.params["target"];
  const already = d.images.filter(({ label }) => label === target).length;
  if (already > 0 && d.labels === undefined)
    printText(`already of the target class: ${count(already)}, which count neither as misclassified nor as successes`);
  if (d.mode === "static") printText(`static attack: ${d.how ?? "the images were made without the defence"}`);
  if (d.mode === "adaptive" && d.how) printText(`adaptive attack: ${d.how}`);
  if (d.upperBound) printText(d.upperBound);
  for (const { rule, message, fix } of d.findings) printText(`${rule}: ${message} ${fix}`);
  printText(`results: ${directory}`);
}

/** What became of each picture that was named, and whose label says so. Nothing for a data set. */
function printPictures({ images, labels }: AttackDocument, name: (label: number) => string): void {
  if (labels === "predicted") printText(noLabelText);
  const named = labels === undefined ? images.filter(({ labelSource }) => labelSource) : images;
  for (const { index, label, labelSource: source, cleanPrediction, prediction, target = null } of named.slice(0, linesShown)) {
    const verdict = verdictOf({ label: source ? label : null, clean: cleanPrediction, adversarial: prediction, target });
    const names = { label: source ? name(label) : null, clean: name(cleanPrediction), adversarial: name(prediction) };
    const whose = source ? ` ${labelText(name(label), source)}` : labels === "partly" ? ` ${noLabelText}` : "";
    printText(`image ${index}: ${verdictText(verdict, { ...names, target: target === null ? null : name(target) })}${whose}`);
  }
  if (named.length > linesShown) printText(`and ${count(named.length - linesShown)} more`);
}
