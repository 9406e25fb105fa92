import { attackDataset } from "../../engine/jobs/attackDataset.ts";
import { attackLabel } from "../../engine/report/reportText.ts";
import { count, number, percent, points } from "../../shared/format.ts";
import type { AttackDocument } from "../../shared/results.ts";
import { printJson, printText, tableText } from "../print.ts";
import type { VerbAction } from "./index.ts";

export const attack: VerbAction = async (args, session) => {
  const model = args.required("model");
  const id = args.required("attack");
  const images = args.all("image");
  const dataset = args.text("dataset") ?? null;
  if (images.length > 0 === (dataset !== null)) throw args.usage("attack needs either --image or --dataset.");
  const defense = args.text("defense");
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
    defense: defense === undefined ? null : { id: defense, params: args.params("defense", defense, "defense-set") },
    mode: args.flag("static") ? ("static" as const) : args.flag("adaptive") ? ("adaptive" as const) : null,
    surrogate,
    seed: session.seed,
    workspace: session.workspace,
    directory: args.text("out"),
    force: args.flag("force"),
  };
  const { directory, document } = await attackDataset(params, await session.engine(), session.context());
  session.close();
  if (args.flag("json")) printJson(document);
  else print(document, directory);
  return 0;
};

function print(d: AttackDocument, directory: string): void {
  const cells = [attackLabel(d.attack), count(d.n), percent(d.clean.accuracy), percent(d.attacked.accuracy)];
  const more = [
    points(d.robustness),
    percent(d.defenseSuccess),
    number(d.norms.linf.mean),
    number(d.norms.l2.mean),
    number(d.imagesPerSecond),
  ];
  if (d.mode === "static") printText("static: the images were made without the defence");
  printText(tableText(["attack", "images", "clean", "attacked", "δ", "β", "L∞", "L2", "images/s"], [[...cells, ...more]]));
  for (const { rule, message, fix } of d.findings) printText(`${rule}: ${message} ${fix}`);
  printText(`results: ${directory}`);
}
