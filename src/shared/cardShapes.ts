import { Type } from "@sinclair/typebox";
import type { CardId, CardResult } from "./cards.ts";
import { fitRules } from "./fit.ts";
import { cardParams } from "./intents.ts";
import { fields, fileInside, flag, list, measured, natural, num, oneOf, orNull, pairOf, type Shape, text, whole } from "./shapes.ts";

/** Shapes of the answers of the Inspector's cards, which lie in the run folder. Fields that older versions had not are optional. */
const optional = Type.Optional;
const score = Type.Object({ index: whole, name: text, probability: measured });
const pick = Type.Object({ id: text, params: fields });
const fitted = Type.Object({
  notes: list(text),
  fit: orNull(Type.Object({ rule: oneOf(fitRules), from: pairOf(natural), to: pairOf(natural) })),
});

const attended = Type.Object({
  image: fileInside,
  map: fileInside,
  prediction: score,
  share: measured,
  degenerate: flag,
  area: optional(fileInside),
  superpixels: optional(Type.Object({ file: fileInside, weights: list(measured) })),
});
const defended = Type.Object({
  transformed: fileInside,
  maps: optional(list(Type.Object({ name: text, defense: text, file: fileInside }))),
  change: measured,
  without: score,
  behind: score,
});
const unit = { layer: text, rows: natural, channels: natural, c: orNull(natural), kept: measured, active: measured };
const detected = Type.Object({
  image: fileInside,
  prediction: score,
  score: measured,
  votes: orNull(list(Type.Object({ index: whole, name: text, votes: natural }))),
  scores: list(score),
  units: list(Type.Object({ ...unit, map: orNull(fileInside) })),
});
const ranked = Type.Object({
  Z: natural,
  patch: natural,
  perm: list(natural),
  scores: list(Type.Unsafe<number | string>({ type: ["number", "string"] })),
  reference: orNull(natural),
  manyTies: flag,
  slices: list(fileInside),
  columns: natural,
  rows: natural,
});

const results: { readonly [K in CardId]: Shape<CardResult<K>> } = {
  attention: Type.Object({
    fitted: optional(fitted),
    explanation: optional(pick),
    layer: orNull(text),
    layers: list(text),
    clean: attended,
    adversarial: orNull(attended),
    iou: orNull(num),
    randomIou: orNull(num),
  }),
  sequence: Type.Object({
    points: list(Type.Object({ iteration: natural, image: fileInside, prediction: score, iou: orNull(num) })),
  }),
  defense: Type.Object({ fitted: optional(fitted), clean: defended, adversarial: orNull(defended) }),
  ranking: Type.Object({
    directory: text,
    image: fileInside,
    notes: optional(list(text)),
    onRemainder: optional(oneOf(["error", "reflectPad", "drop"])),
    clean: ranked,
    attacked: orNull(ranked),
  }),
  detection: Type.Object({
    fitted,
    detector: pick,
    iteration: orNull(natural),
    classes: natural,
    passes: natural,
    seconds: measured,
    largest: list(measured),
    clean: detected,
    adversarial: orNull(detected),
  }),
  calibration: Type.Object({ detector: pick, name: text, n: natural, scores: list(measured) }),
};

/** What `cards.json` holds of a card: what was asked, and the answer. */
export const cardRecord = (id: CardId) => Type.Object({ params: cardParams[id], result: results[id] });
