import path from "node:path";
import type { Node } from "jsonc-parser";
import { type Catalog, type CatalogEntry, entriesOf } from "../shared/catalog.ts";
import { type Expected, expectationFault } from "../shared/expect.ts";
import { firstArmName } from "../shared/experiment.ts";
import { number } from "../shared/format.ts";
import { nearest, suggestion } from "../shared/nearest.ts";
import type { Severity } from "../shared/results.ts";
import { attackKeys } from "../shared/runs.ts";
import {
  at,
  type ChoiceSite,
  choiceSites,
  defenseNodes,
  jsonOf,
  keySpan,
  numberOf,
  parseExperiment,
  type Span,
  spanOf,
  textOf,
} from "./tree.ts";

/** Replaces `span` by `text`; the title says so in the light bulb. */
export interface Fix {
  readonly title: string;
  readonly span: Span;
  readonly text: string;
  /** The one that Ctrl+. then Enter takes. */
  readonly isPreferred: boolean;
}
export interface Problem {
  /** Rule of the catalogue (RB001 …) or error code. */
  readonly code: string;
  readonly severity: Severity;
  readonly message: string;
  readonly span: Span;
  readonly fixes: readonly Fix[];
}
/** The disk, as far as experiment files speak of it. */
export interface Disk {
  exists(file: string): boolean;
  names(directory: string): readonly string[];
}
export interface Experimental {
  readonly text: string;
  /** Folder of the experiment file: paths in it are relative to it. */
  readonly directory: string;
  readonly catalog: Catalog;
  readonly disk: Disk;
}

/** What the schema cannot say. */
export function problemsOf(o: Experimental): Problem[] {
  const root = parseExperiment(o.text);
  if (root?.type !== "object") return [];
  const sites = choiceSites(root);
  return [
    ...missingPaths(root, o),
    ...sites.flatMap((site) => unknownId(site, o.catalog)),
    ...sites.flatMap((site) => unknownParameters(site, o.catalog)),
    ...expectations(root),
    ...sites.flatMap((site) => units(site, o.catalog)),
    ...sites.flatMap((site) => stepSizes(site, o.catalog)),
    ...onlySingleStep(root, o.catalog),
    ...seedless(root),
  ];
}

// ── paths ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────
function missingPaths(root: Node, { directory, disk }: Experimental): Problem[] {
  const arms = [root, ...(at(root, "compare")?.children ?? [])];
  const nodes = [at(root, "dataset", "path"), ...arms.map((arm) => at(arm, "model", "file"))];
  return nodes.flatMap((node): Problem[] => {
    const given = textOf(node);
    if (!node || given === undefined || disk.exists(path.resolve(directory, given))) return [];
    const found = similarPath(given, directory, disk);
    const fixes =
      found === undefined ? [] : [{ title: `Change to "${found}"`, span: spanOf(node), text: JSON.stringify(found), isPreferred: true }];
    return [{ code: "FILE_NOT_FOUND", severity: "error", message: `There is no ${given} beside this file.`, span: spanOf(node), fixes }];
  });
}

/** The same folder with the most similar name in it, written as the person wrote it. */
function similarPath(given: string, directory: string, disk: Disk): string | undefined {
  const parent = path.dirname(path.resolve(directory, given));
  const name = nearest(path.basename(given), disk.names(parent));
  return name === undefined ? undefined : path.posix.join(path.dirname(given).replaceAll("\\", "/"), name);
}

// ── ids ─────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
function unknownId({ kind, node }: ChoiceSite, catalog: Catalog): Problem[] {
  const value = at(node, "kind");
  const id = textOf(value);
  const known = entriesOf(catalog, kind).map((entry) => entry.id);
  if (!value || id === undefined || known.length === 0 || known.includes(id)) return [];
  const meant = nearest(id, known);
  const message =
    meant === undefined
      ? `There is no ${kind} "${id}". Known: ${known.join(", ")}.`
      : `There is no ${kind} "${id}"; did you mean "${meant}"?`;
  const fixes =
    meant === undefined ? [] : [{ title: `Change to "${meant}"`, span: spanOf(value), text: JSON.stringify(meant), isPreferred: true }];
  return [{ code: "UNKNOWN_ID", severity: "error", message, span: spanOf(value), fixes }];
}

const entryOf = ({ kind, node }: ChoiceSite, catalog: Catalog): CatalogEntry | undefined =>
  entriesOf(catalog, kind).find((entry) => entry.id === textOf(at(node, "kind")));

/** Keys that the schema allows beside an entry's own parameters. */
const beside: Partial<Record<ChoiceSite["kind"], readonly string[]>> = { dataset: ["train", "test"], explanation: ["samples"] };

function unknownParameters(site: ChoiceSite, catalog: Catalog): Problem[] {
  const entry = entryOf(site, catalog);
  if (!entry) return [];
  const own = Object.keys(entry.params.properties);
  const known = [...own, ...(beside[site.kind] ?? []), "kind"];
  return (site.node.children ?? []).flatMap((property): Problem[] => {
    const [key, value] = property.children ?? [];
    const name = textOf(key);
    if (!key || !value || name === undefined || known.includes(name)) return [];
    const meant = known.find((other) => name.length > other.length && name.startsWith(other)) ?? nearest(name, known);
    const has = meant === undefined ? `It has: ${own.join(", ") || "none"}.` : `Did you mean "${meant}"?`;
    const fixes =
      meant === undefined ? [] : [{ title: `Change to "${meant}"`, span: spanOf(key), text: JSON.stringify(meant), isPreferred: true }];
    return [
      { code: "PARAMETER_INVALID", severity: "error", message: `${entry.id} has no parameter "${name}". ${has}`, span: spanOf(key), fixes },
    ];
  });
}

// ── expectations ────────────────────────────────────────────────────────────────────────────────────────────────────────────
/** `expect` and `control` name attacks, detectors and arms that the file must have; what could be met by accident is refused. */
function expectations(root: Node): Problem[] {
  const ids = (list: string): string[] => (at(root, list)?.children ?? []).map((node) => textOf(at(node, "kind")) ?? "");
  const keys = attackKeys(ids("attacks"));
  const attacks = ids("attacks").map((id, i) => ({ id, key: keys[i] ?? id }));
  const others = (at(root, "compare")?.children ?? []).map((node) => textOf(at(node, "name")) ?? "");
  const arms = [firstArmName(defenseNodes(root).map((node) => textOf(at(node, "kind")) ?? "")), ...others];
  const found = (at(root, "expect")?.children ?? []).flatMap((item): Problem[] => {
    if (textOf(at(item, "metric")) === undefined) return []; // the schema says so
    const fault = expectationFault(jsonOf(item) as Expected, { arms, attacks, detectors: ids("detectors") });
    const node = fault && (at(item, fault.key) ?? item);
    if (!fault || !node) return [];
    const { meant } = fault;
    return [named(node, `This expectation ${fault.message}. ${fault.fix}`, meant)];
  });
  const control = at(root, "control");
  const name = textOf(control);
  if (!control || name === undefined || others.includes(name)) return found;
  return [named(control, `This experiment has no arm "${name}". ${suggestion(name, others, "It has")}`, nearest(name, others)), ...found];
}

/** A name that is none, with the quick fix to the one that was probably meant. */
function named(node: Node, message: string, meant: string | undefined): Problem {
  const fix = { title: `Change to "${meant}"`, span: spanOf(node), text: JSON.stringify(meant), isPreferred: true };
  return { code: "EXPERIMENT_INVALID", severity: "error", message, span: spanOf(node), fixes: meant === undefined ? [] : [fix] };
}

// ── RB001 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────
/** Parameters that are distances between pixels, in units of [0,1]. */
const distances = ["eps", "stepSize", "sigma"];

/** 8 becomes 8/255: four significant digits are finer than an 8-bit image can tell. */
export const fromBytes = (value: number): number => Number((value / 255).toPrecision(4));

function units(site: ChoiceSite, catalog: Catalog): Problem[] {
  const entry = entryOf(site, catalog);
  if (site.kind !== "attack" || !entry) return [];
  const isOfPixels = "norm" in entry.params.properties && textOf(at(site.node, "norm")) !== "l2"; // an L2 length may be larger than 1
  return distances.flatMap((key): Problem[] => {
    const node = at(site.node, key);
    const value = numberOf(node);
    const limit = isOfPixels ? 1 : (entry.params.properties[key]?.maximum ?? 1);
    if (!node || value === undefined || value <= 1 || value <= limit || value > 255) return [];
    const converted = fromBytes(value);
    const fix = { title: `Convert to ${value}/255 = ${converted}`, span: spanOf(node), text: String(converted), isPreferred: true };
    const message = `${key} is ${value}, which is in units of 0…255; images are in [0,1].`;
    return [{ code: "RB001", severity: "error", message, span: spanOf(node), fixes: [fix] }];
  });
}

// ── RB002 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────
/** 2.5 ε / steps lets an attack reach the edge of the ball and turn back (Madry et al. 2018). */
export const goodStep = (eps: number, steps: number): number => Number(((2.5 * eps) / steps).toPrecision(4));

function stepSizes(site: ChoiceSite, catalog: Catalog): Problem[] {
  const entry = entryOf(site, catalog);
  if (site.kind !== "attack" || !entry) return [];
  const value = (key: string): number | undefined => {
    const fallback = entry.params.properties[key]?.default;
    return numberOf(at(site.node, key)) ?? (typeof fallback === "number" ? fallback : undefined);
  };
  const [eps, steps, stepSize] = [value("eps"), value("steps"), value("stepSize")];
  const written = at(site.node, "stepSize") ?? at(site.node, "eps");
  if (eps === undefined || steps === undefined || stepSize === undefined || !written) return [];
  if (eps <= 0 || eps > 1 || steps < 1 || stepSize <= 0 || stepSize > 1) return [];
  const reach = stepSize * steps;
  const message =
    stepSize > eps
      ? `A step of ${stepSize} is larger than ε = ${eps}: every step ends on the edge of the ball.`
      : `${steps} steps of ${stepSize} reach only ${number(reach)} of ε = ${eps}: the attack cannot use its ball.`;
  if (stepSize <= eps && reach >= eps * (1 - 1e-9)) return [];
  const step = goodStep(eps, steps);
  const node = at(site.node, "stepSize");
  const title = `Set the step to 2.5 ε / steps = ${step}`;
  const fix = node
    ? { title, span: spanOf(node), text: String(step), isPreferred: true }
    : { title, span: { offset: written.offset + written.length, length: 0 }, text: `, "stepSize": ${step}`, isPreferred: true };
  return [{ code: "RB002", severity: "warning", message, span: spanOf(written), fixes: [fix] }];
}

// ── RB006 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────
const singleStep = new Set(["fgsm", "stepLL"]);

function onlySingleStep(root: Node, catalog: Catalog): Problem[] {
  const list = at(root, "attacks");
  const attacks = list?.children ?? [];
  const last = attacks.at(-1);
  if (!list || !last || !attacks.every((attack) => singleStep.has(textOf(at(attack, "kind")) ?? ""))) return [];
  const hasPgd = entriesOf(catalog, "attack").some((entry) => entry.id === "pgd");
  const eps = Math.max(0, ...attacks.map((attack) => numberOf(at(attack, "eps")) ?? 0)) || fromBytes(8);
  const added = `, { "kind": "pgd", "eps": ${eps}, "steps": 40, "stepSize": ${goodStep(eps, 40)} }`;
  const fix = { title: "Add PGD with 40 steps", span: { offset: last.offset + last.length, length: 0 }, text: added, isPreferred: true };
  const message = "Only single-step attacks: a defence that merely hides its gradients passes them. Add an iterative one.";
  return [{ code: "RB006", severity: "warning", message, span: keySpan(list), fixes: hasPgd ? [fix] : [] }];
}

// ── RB009 ───────────────────────────────────────────────────────────────────────────────────────────────────────────────────
function seedless(root: Node): Problem[] {
  if (at(root, "seed") || !root.children?.length) return [];
  const fix = { title: 'Insert "seed": 1', span: { offset: root.offset + 1, length: 0 }, text: '\n  "seed": 1,', isPreferred: true };
  const message = "No seed is given, so 1 is used; write it down for a run that others can repeat.";
  return [{ code: "RB009", severity: "info", message, span: { offset: root.offset, length: 1 }, fixes: [fix] }];
}
