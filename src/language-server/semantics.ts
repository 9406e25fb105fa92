import path from "node:path";
import type { Node } from "jsonc-parser";
import { type Catalog, entriesOf, isPath } from "../shared/catalog.ts";
import { type Expectable, type Expected, expectationFault } from "../shared/expect.ts";
import { besideParameters, firstArmName } from "../shared/experiment.ts";
import { fileRules } from "../shared/fileRules/index.ts";
import { changeTo, type ExperimentFile, type Problem } from "../shared/fileRules/problem.ts";
import { checkAll } from "../shared/fileRules/rule.ts";
import { bareFractions } from "../shared/fileRules/syntax.ts";
import { armsOf, at, type ChoiceSite, choiceSites, itemsOf, jsonOf, parseExperiment, spanOf, textOf } from "../shared/fileRules/tree.ts";
import { exportSnippet, savedModelFile, singleFileEndings, unsupportedFormats } from "../shared/modelFormats.ts";
import { nearest, suggestion } from "../shared/nearest.ts";
import { attackKeys } from "../shared/runs.ts";

/** The disk, as far as experiment files speak of it. */
export interface Disk {
  exists(file: string): boolean;
  names(directory: string): readonly string[];
}

export interface Written {
  readonly text: string;
  /** Folder of the experiment file: paths in it are relative to it. */
  readonly directory: string;
  readonly catalog: Catalog;
  readonly disk: Disk;
}

/** What the schema cannot say: ids, keys, names and paths that do not exist, and the rules about experiment files. */
export function problemsOf({ text, ...rest }: Written): Problem[] {
  const root = parseExperiment(text);
  if (root?.type !== "object" || bareFractions(text).length > 0) return []; // of 8/255 only the 8 would be seen
  const file = { root, sites: choiceSites(root, rest.catalog), ...rest };
  return [
    ...missingPaths(file),
    ...unreadableModels(file),
    ...file.sites.flatMap((site) => unknownId(site, file.catalog)),
    ...file.sites.flatMap(unknownParameters),
    ...unknownNames(root),
    ...checkAll(fileRules, file),
  ];
}

// ── paths ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────
function missingPaths({ root, sites, directory, disk }: ExperimentFile & Omit<Written, "text">): Problem[] {
  const models = armsOf(root).map((arm) => at(arm, "model", "file"));
  const files = sites.flatMap(({ node, entry }) =>
    Object.entries(entry?.params.properties ?? {})
      .filter(([name, schema]) => isPath(schema, textOf(at(node, name)) ?? ""))
      .map(([name]) => at(node, name)),
  );
  return [...models, ...files].flatMap((node): Problem[] => {
    const given = textOf(node);
    if (!node || given === undefined || given === "" || disk.exists(path.resolve(directory, given))) return [];
    const found = similarPath(given, directory, disk);
    const fixes = found === undefined ? [] : [changeTo(found, spanOf(node))];
    return [{ code: "FILE_NOT_FOUND", severity: "error", message: `There is no ${given} beside this file.`, span: spanOf(node), fixes }];
  });
}

/** Models of formats that cannot be opened, with the lines that export them; an exported one beside them is offered instead. */
function unreadableModels({ root, directory, disk }: ExperimentFile & Omit<Written, "text">): Problem[] {
  return armsOf(root).flatMap((arm): Problem[] => {
    const node = at(arm, "model", "file");
    const given = textOf(node);
    if (!node || !given || !disk.exists(path.resolve(directory, given))) return [];
    const format = unreadableFormat(path.resolve(directory, given), disk);
    if (format === undefined) return [];
    const stem = given.replace(/[\\/]+$/, "").replace(/\.(tflite|pb|pth?|safetensors)$/i, "");
    const other = singleFileEndings.map((ending) => `${stem}.${ending}`).find((file) => disk.exists(path.resolve(directory, file)));
    const snippet = exportSnippet(format, path.basename(given));
    return [
      {
        code: "MODEL_INVALID",
        severity: "error",
        message: `${path.basename(given)} is a ${format} model, which is not supported yet. Export it to ONNX.`,
        span: spanOf(node),
        fixes: other === undefined ? [] : [changeTo(other, spanOf(node))],
        ...(snippet === undefined ? {} : { snippet }),
      },
    ];
  });
}

function unreadableFormat(file: string, disk: Disk): string | undefined {
  const isSaved = path.basename(file) === savedModelFile || disk.names(file).includes(savedModelFile);
  return isSaved ? "TensorFlow SavedModel" : unsupportedFormats[path.extname(file).toLowerCase()];
}

/** The same folder with the most similar name in it, written as the person wrote it. */
function similarPath(given: string, directory: string, disk: Disk): string | undefined {
  const parent = path.dirname(path.resolve(directory, given));
  const name = nearest(path.basename(given), disk.names(parent));
  return name === undefined ? undefined : path.posix.join(path.dirname(given).replaceAll("\\", "/"), name);
}

// ── ids and keys ────────────────────────────────────────────────────────────────────────────────────────────────────────────
function unknownId({ kind, id, entry }: ChoiceSite, catalog: Catalog): Problem[] {
  const name = textOf(id);
  const known = entriesOf(catalog, kind).map((one) => one.id);
  if (!id || name === undefined || known.length === 0 || entry) return [];
  const meant = nearest(name, known);
  const message =
    meant === undefined
      ? `There is no ${kind} "${name}". Known: ${known.join(", ")}.`
      : `There is no ${kind} "${name}"; did you mean "${meant}"?`;
  return [
    { code: "UNKNOWN_ID", severity: "error", message, span: spanOf(id), fixes: meant === undefined ? [] : [changeTo(meant, spanOf(id))] },
  ];
}

/** Keys that the schema allows beside an entry's own parameters; where a choice stands inside another, the schema refuses them. */
const beside: Partial<Record<ChoiceSite["kind"], readonly string[]>> = {
  dataset: Object.keys(besideParameters.dataset),
  attack: Object.keys(besideParameters.attacks),
  detector: Object.keys(besideParameters.detectors),
  explanation: Object.keys(besideParameters.explanations),
};

function unknownParameters({ kind, node, entry }: ChoiceSite): Problem[] {
  if (!entry || node.type !== "object") return [];
  const own = Object.keys(entry.params.properties);
  const known = [...own, ...(beside[kind] ?? []), "kind"];
  return (node.children ?? []).flatMap((property): Problem[] => {
    const [key, value] = property.children ?? [];
    const name = textOf(key);
    if (!key || !value || name === undefined || known.includes(name)) return [];
    const meant = nearest(name, known);
    const has = meant === undefined ? `It has: ${own.join(", ") || "none"}.` : `Did you mean "${meant}"?`;
    const message = `${entry.id} has no parameter "${name}". ${has}`;
    const fixes = meant === undefined ? [] : [changeTo(meant, spanOf(key))];
    return [{ code: "PARAMETER_INVALID", severity: "error", message, span: spanOf(key), fixes }];
  });
}

// ── names of arms, attacks and detectors ────────────────────────────────────────────────────────────────────────────────────
/** `expect` and `control` name what the file must have, and nothing that could be met by accident; no two arms have one name. */
function unknownNames(root: Node): Problem[] {
  const ids = (nodes: readonly Node[]): string[] => nodes.map((node) => textOf(at(node, "kind")) ?? "");
  const listed = (key: string): readonly Node[] => at(root, key)?.children ?? [];
  const keys = attackKeys(ids(listed("attacks")));
  const attacks = ids(listed("attacks")).map((id, i) => ({ id, key: keys[i] ?? id }));
  const others = listed("compare").map((node) => at(node, "name"));
  const fineTune = at(root, "model", "fineTune");
  const isFineTuned = fineTune !== undefined && jsonOf(fineTune) === true;
  const first = textOf(at(root, "arm")) ?? firstArmName(ids(itemsOf(at(root, "defense"))), isFineTuned);
  const arms = [first, ...others.map((node) => textOf(node) ?? "")];
  const expectable = { arms: others.includes(undefined) ? null : arms, attacks, detectors: ids(listed("detectors")) };
  return [
    ...listed("expect").flatMap((item) => unsoundExpectation(item, expectable)),
    ...unknownControl(at(root, "control"), arms.slice(1)),
    ...others.flatMap((node, i) => (node && arms.indexOf(textOf(node) ?? "") <= i ? [takenName(node)] : [])),
  ];
}

function unsoundExpectation(item: Node, expectable: Expectable): Problem[] {
  if (textOf(at(item, "metric")) === undefined) return []; // the schema says so
  const fault = expectationFault(jsonOf(item) as Expected, expectable);
  return fault ? [invalid(`This expectation ${fault.message}. ${fault.fix}`, at(item, fault.key) ?? item, fault.meant)] : [];
}

function unknownControl(node: Node | undefined, arms: readonly string[]): Problem[] {
  const name = textOf(node); // none where it says whether there is to be one
  if (!node || name === undefined || arms.includes(name)) return [];
  return [invalid(`This experiment has no arm "${name}". ${suggestion(name, arms, "It has")}`, node, nearest(name, arms))];
}

const takenName = (node: Node): Problem =>
  invalid(`Another arm is called "${textOf(node)}" already. Give each entry of "compare" a name of its own.`, node);

/** `meant`: the name that was probably meant, for the quick fix. */
const invalid = (message: string, node: Node, meant?: string): Problem => ({
  code: "EXPERIMENT_INVALID",
  severity: "error",
  message,
  span: spanOf(node),
  fixes: meant === undefined ? [] : [changeTo(meant, spanOf(node))],
});
