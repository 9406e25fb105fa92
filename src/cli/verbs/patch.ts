import path from "node:path";
import { applyPatch } from "../../engine/jobs/patch/applyPatch.ts";
import { exportPatch } from "../../engine/jobs/patch/exportPatch.ts";
import { previewPatch } from "../../engine/jobs/patch/previewPatch.ts";
import { patchSuccessMap } from "../../engine/jobs/patch/successMap.ts";
import { recorded } from "../../engine/patches/recorded.ts";
import { BulwarkError } from "../../shared/errors.ts";
import { number, percent, plural } from "../../shared/format.ts";
import { suggestion } from "../../shared/nearest.ts";
import type { PreviewPatchResult } from "../../shared/patch.ts";
import type { ClassScore } from "../../shared/protocol.ts";
import type { Args } from "../args.ts";
import { printJson, printText, tableText } from "../print.ts";
import type { Session } from "../session.ts";
import type { VerbAction } from "./index.ts";

const actions = ["apply", "preview", "map", "export"] as const;

/** What is done with a patch that is there already; `attack` trains one. */
export const patch: VerbAction = async (args, session) => {
  const [action = "", file = ""] = args.positionals;
  const known = actions.find((one) => one === action);
  if (known === undefined)
    throw new BulwarkError("USAGE", `"${action}" is not something to do with a patch.`, suggestion(action, actions, "There are"));
  await { apply, preview, map, export: print }[known](file, args, session);
  return 0;
};

const named = (score: ClassScore | undefined): string => (score ? `${score.name} ${percent(score.probability)}` : "–");

/** A picture that is no trained patch covers this much, and is meant to show this class. */
function stickerOf(args: Args) {
  const [area, target] = [args.number("area"), args.integer("target", 0)];
  return { sticker: { ...(area === undefined ? {} : { area }), ...(target === undefined ? {} : { target }) } };
}

function imagesOf(args: Args) {
  const files = args.all("image");
  const dataset = args.dataset() ?? undefined;
  if (files.length > 0 === (dataset !== undefined)) throw args.usage("Name pictures with --image or a data set with --dataset.");
  const limit = args.integer("limit", 1);
  const split = args.oneOf("split", ["test", "train"], "test");
  return { files, split, ...(dataset === undefined ? {} : { dataset }), ...(limit === undefined ? {} : { limit }) };
}

function run<T>(
  args: Args,
  session: Session,
  o: { readonly title: string; readonly request: unknown; readonly headline: (result: T) => string },
  work: Parameters<typeof recorded<T>>[1],
): Promise<T> {
  const { seed, workspace } = session;
  const request = { positionals: args.positionals, request: o.request, seed };
  return recorded({ ...o, request, workspace, directory: args.text("out"), force: args.flag("force") }, work);
}

async function apply(file: string, args: Args, session: Session): Promise<void> {
  const engine = await session.engine();
  const model = args.required("model");
  const [image, ...more] = args.all("image");
  if (image === undefined || more.length > 0) throw args.usage("apply needs one --image.");
  const label = args.integer("label", 0);
  const [height, width] = (await engine.model(model)).inputShape;
  const placement = {
    row: args.number("row") ?? height / 2,
    column: args.number("column") ?? width / 2,
    rotation: args.number("rotation") ?? 0,
    scale: args.number("scale") ?? 1,
  };
  const request = { model, image, patch: file, placement, ...stickerOf(args), ...(label === undefined ? {} : { label }) };
  const headline = (r: { readonly clean: readonly ClassScore[]; readonly patched: readonly ClassScore[] }): string =>
    `${named(r.clean[0])} → ${named(r.patched[0])}`;
  const result = await run(args, session, { title: `patch ${path.basename(image)}`, request, headline }, (directory) =>
    applyPatch({ ...request, directory }, engine),
  );
  if (args.flag("json")) return printJson(result);
  printText(
    `${headline(result)}, ${percent(result.coverage)} of the image covered${result.fits ? "" : "; the patch hangs over the border"}`,
  );
  printText(path.join(result.directory, result.image));
}

async function preview(file: string, args: Args, session: Session): Promise<void> {
  const engine = await session.engine();
  const images = imagesOf(args);
  const common = { model: args.required("model"), images, patch: file, workspace: session.workspace, ...stickerOf(args) };
  const count = args.integer("count", 1) ?? 8;
  const headline = ({ figures }: PreviewPatchResult): string => percent(figures.successRate);
  const request = { ...common, count, seed: session.seed };
  const result = await run(args, session, { title: "patch preview", request, headline }, (directory, stoppable) =>
    previewPatch({ ...request, directory }, engine, stoppable(session.context())),
  );
  if (args.flag("json")) return printJson(result);
  const rows = result.pictures.map(({ file: picture, label, prediction, success }) => [
    picture,
    label.name,
    named(prediction),
    success ? "fooled" : "",
  ]);
  printText(tableText(["picture", "class", "prediction", ""], rows));
  printText(`fooled: ${percent(result.figures.successRate)}; ${result.directory}`);
}

async function map(file: string, args: Args, session: Session): Promise<void> {
  const engine = await session.engine();
  const images = imagesOf(args);
  const [rotation, scale] = [args.number("rotation") ?? 0, args.number("scale") ?? 1];
  const common = { model: args.required("model"), images, patch: file, workspace: session.workspace, ...stickerOf(args) };
  const request = { ...common, stride: args.integer("stride", 1) ?? 4, rotation, scale };
  const mean = ({ success }: { readonly success: readonly (readonly (number | null)[])[] }): string => {
    const known = success.flat().filter((rate) => rate !== null);
    return percent(known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length);
  };
  const phase = "Pasting at every place";
  const result = await run(args, session, { title: "patch map", request, headline: mean }, (directory, stoppable) =>
    patchSuccessMap({ ...request, directory }, engine, stoppable(session.context()), ({ done, total }) =>
      session.onEvent({ kind: "progress", phase, done, total, etaSeconds: null, overall: done / total }),
    ),
  );
  session.close();
  if (args.flag("json")) return printJson(result);
  const rows = result.rows.map((row, i) => [String(row), ...(result.success[i] ?? []).map((rate) => percent(rate))]);
  printText(tableText(["row \\ column", ...result.columns.map(String)], rows));
  printText(`fooled: ${mean(result)} of ${plural(result.images, "image")}; ${path.join(result.directory, result.picture)}`);
}

async function print(file: string, args: Args): Promise<void> {
  const centimetres = args.number("cm");
  if (centimetres === undefined) throw args.usage("--cm is missing: the length of the longer side on paper.");
  const dpi = args.integer("dpi", 1) ?? 300;
  const request = {
    patch: file,
    centimetres,
    dpi,
    upscaling: args.oneOf("upscaling", ["nearest", "smooth"], "nearest"),
    background: args.oneOf("background", ["transparent", "white"], "transparent"),
    file: args.text("file") ?? `patch-${centimetres}cm.png`,
  };
  const result = await exportPatch(request);
  if (args.flag("json")) return printJson(result);
  const [height, width] = result.centimetres;
  printText(
    `${result.file}: ${result.pixels[0]}×${result.pixels[1]} pixels, ${number(height)}×${number(width)} cm at ${result.dpi} dpi (${result.upscaling})`,
  );
}
