import { type Static, type TLiteral, type TObject, type TProperties, Type } from "@sinclair/typebox";
import { type CardId, type CardParams, cardIds } from "./cards.ts";
import { fitRules } from "./fit.ts";
import { fields, flag, list, natural, num, oneOf, orNull, type Shape, text } from "./shapes.ts";

/**
 * What a person can do in each panel, as its webview says it. The host checks every message against these shapes and drops what does not fit.
 * No intent is taken for a path: what is named is looked up in what the host itself has shown.
 */
const intent = <K extends string, P extends TProperties>(kind: K, properties: P): TObject<{ kind: TLiteral<K> } & P> =>
  Type.Object({ kind: Type.Literal(kind), ...properties }, { additionalProperties: false }) as TObject<{ kind: TLiteral<K> } & P>;
/** Intents that say nothing but their kind. */
const plain = <const K extends readonly string[]>(...kinds: K) =>
  Type.Unsafe<{ readonly kind: K[number] }>(Type.Object({ kind: oneOf(kinds) }, { additionalProperties: false }));

/** What every panel can ask for; answered in one place for all of them. */
const common = [
  /** A chart, table or picture saved by the person: `name` proposes a file name, such as "loss.csv". */
  intent("save", { name: text, dataUrl: text }),
  /** The button of an error card. */
  intent("fix", { id: text }),
  plain("showLog", "openFolder"),
] as const;
const commonIntents = Type.Union([...common]);
export type CommonIntent = Static<typeof commonIntents>;

// ── Inspector ───────────────────────────────────────────────────────────────────────────────────────────────────────────────
const pick = Type.Object({ id: text, params: fields }, { additionalProperties: false });
const iteration = orNull(natural);
const threshold = Type.Union([Type.Object({ value: num }), Type.Object({ falsePositiveRate: num })]);
export const cardParams: { readonly [K in CardId]: Shape<CardParams<K>> } = {
  attention: Type.Object({ explanation: orNull(pick), iteration }),
  sequence: Type.Object({ explanation: pick }),
  defense: Type.Object({ defenses: list(pick), iteration }),
  ranking: Type.Object({
    patch: Type.Union([natural, Type.Literal("auto")]),
    measure: text,
    order: oneOf(["asc", "desc"]),
    reference: text,
    onRemainder: oneOf(["error", "reflectPad"]),
  }),
  detection: Type.Object({ detector: pick, iteration, threshold }),
  calibration: Type.Object({ detector: pick, data: orNull(text), images: natural }),
};
type CardIntent = { readonly [K in CardId]: { readonly kind: "card"; readonly id: K; readonly params: CardParams<K> } }[CardId];
const card = Type.Unsafe<CardIntent>({
  ...intent("card", { id: oneOf(cardIds), params: fields }),
  allOf: cardIds.map((id) => ({ if: { properties: { id: { const: id } } }, then: { properties: { params: cardParams[id] } } })),
});

export const inspectorIntents = Type.Union([
  ...common,
  card,
  intent("cancelCard", { id: oneOf(cardIds) }),
  intent("rerun", { attack: pick, defenses: list(pick) }),
  /** Fits the picture by another rule, and does again what is on show. */
  intent("fit", { rule: oneOf(fitRules) }),
  intent("export", { format: oneOf(["png", "npz", "panel", "command"]), dataUrl: Type.Optional(text) }),
  plain(
    "cancel",
    /** Asks the person for the true class, from a list of the model's class names. */
    "chooseLabel",
    /** Asks for another model or attack, and goes on with it. */
    "chooseModel",
    "chooseAttack",
    /** Asks for another list of class names, which is written into the model's contract. */
    "chooseClasses",
    /** What a finding about the contract asks for. */
    "editContract",
    "probeContract",
    /** Starts the attack whose estimate is on show, or gives it up. */
    "start",
    "dismiss",
    /** The image and the model go on into the Patch Studio. */
    "openPatchStudio",
  ),
]);
export type InspectorIntent = Static<typeof inspectorIntents>;

// ── Runs ────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
export const trainingIntents = Type.Union([...common, plain("cancel", "resume", "openReport")]);
export type TrainingIntent = Static<typeof trainingIntents>;

export const reportIntents = Type.Union([
  ...common,
  plain("openHtml"),
  /** A row of the table of images, attacked again in the Inspector. */
  intent("inspect", { index: natural, arm: text, attack: text }),
]);
export type ReportIntent = Static<typeof reportIntents>;

// ── Pages about a model, this machine and data ──────────────────────────────────────────────────────────────────────────────
export const modelIntents = Type.Union([
  ...common,
  plain("evaluate", "attack", "explain", "editContract", "probe", "again", "check", "cancelCheck"),
  intent("openRun", { run: text }),
]);
export type ModelIntent = Static<typeof modelIntents>;

export const doctorIntents = Type.Union([
  ...common,
  plain("again", "selectBackend", "selectDevice", "installGpuRuntime", "restartEngine", "copy"),
]);
export type DoctorIntent = Static<typeof doctorIntents>;

export const previewIntents = Type.Union([
  ...common,
  plain("evaluate", "again"),
  /** By the place of the picture among those on show. */
  intent("open", { item: natural }),
  intent("attack", { item: natural }),
]);
export type PreviewIntent = Static<typeof previewIntents>;

// ── Patch Studio ────────────────────────────────────────────────────────────────────────────────────────────────────────────
/** What a person changed, and nothing else: the host may have changed the rest meanwhile. Models and sources are those on show. */
const studioChange = Type.Object(
  {
    trainModel: Type.Optional(text),
    tryModel: Type.Optional(text),
    source: Type.Optional(text),
    limit: Type.Optional(natural),
    params: Type.Optional(fields),
  },
  { additionalProperties: false },
);
const placement = Type.Object({ row: num, column: num, rotation: num, scale: num }, { additionalProperties: false });
const transforms = Type.Object({ rotation: num, scaleMin: num, scaleMax: num }, { additionalProperties: false });

export const studioIntents = Type.Union([
  ...common,
  intent("settings", { settings: studioChange }),
  /** `goOn`: at the last checkpoint of the training that was stopped. */
  intent("train", { goOn: flag }),
  intent("cancel", { what: oneOf(["train", "preview", "map"]) }),
  /** One of the pictures on show to place the patch on; null asks for another one. */
  intent("image", { file: orNull(text) }),
  intent("sticker", { area: num, target: Type.Integer() }),
  intent("place", { placement }),
  intent("preview", { count: natural, transforms, seed: natural }),
  intent("map", { stride: num, rotation: num, scale: num, images: natural }),
  intent("export", {
    centimetres: num,
    dpi: num,
    upscaling: oneOf(["nearest", "smooth"]),
    background: oneOf(["transparent", "white"]),
  }),
  plain(
    /** Asks for a folder of pictures to train on. */
    "chooseFolder",
    /** Asks for a patch or a sticker. */
    "choosePatch",
  ),
  /** Shows one of `studioFiles`, by its place. */
  intent("reveal", { item: natural }),
]);
export type StudioIntent = Static<typeof studioIntents>;
