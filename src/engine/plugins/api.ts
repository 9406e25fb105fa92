import { Type } from "@sinclair/typebox";
import { BulwarkError } from "../../shared/errors.ts";
import { inputGradient } from "../classifier/classifier.ts";
import * as define from "../define/index.ts";
import { margin } from "../losses/margin.ts";
import { fromBytes } from "../pixels.ts";
import type { RegistryKind } from "../registry.ts";
import { tf } from "../tf.ts";

/** Kinds of entries that a plugin may add. */
export type PluginKind = Extract<RegistryKind, "attack" | "defense" | "dataset">;

/**
 * What a plugin is given: all it needs, so that its file imports nothing of Bulwark. Images are float32 [b,H,W,C] in [0,1].
 * See docs/guide/plugins.md.
 */
export interface PluginApi {
  readonly defineAttack: typeof define.defineAttack;
  /** A transformation in front of a model. */
  readonly defineInferenceDefense: typeof define.defineInferenceDefense;
  readonly defineDataset: typeof define.defineDataset;
  /** TypeBox: `Type.Object({ … })` holds the parameters of an entry. */
  readonly Type: typeof Type;
  readonly num: typeof define.num;
  readonly int: typeof define.int;
  readonly bool: typeof define.bool;
  readonly text: typeof define.text;
  readonly choice: typeof define.choice;
  readonly file: typeof define.file;
  readonly optional: typeof define.optional;
  readonly tf: typeof tf;
  /** Gradient [b,H,W,C] of an objective of the scores, and the scores [b,k]. The caller disposes both. */
  readonly inputGradient: typeof inputGradient;
  /** How far each image is from being adversarial, [b]; below 0 it is. */
  readonly margin: typeof margin;
  /** Bytes → float32 in [0,1]. */
  readonly fromBytes: typeof fromBytes;
  /** `new BulwarkError("DATASET_INVALID", what is wrong, what to do)`: a failure that the user can mend. */
  readonly BulwarkError: typeof BulwarkError;
}

/** The default export of a plugin: gives what its `define…` calls gave. */
export type Plugin = (api: PluginApi) => define.Entry | readonly define.Entry[] | Promise<define.Entry | readonly define.Entry[]>;

/** The API, and the kind of an entry that was made with it. */
export function pluginApi(): { readonly api: PluginApi; kindOf(entry: unknown): PluginKind | undefined } {
  const kinds = new WeakMap<object, PluginKind>();
  const marked =
    <Spec, E extends object>(kind: PluginKind, make: (spec: Spec) => E) =>
    (spec: Spec): E => {
      const entry = make({ paper: "", ...spec });
      kinds.set(entry, kind);
      return entry;
    };
  const { num, int, bool, text, choice, file, optional } = define;
  const api: PluginApi = {
    defineAttack: marked("attack", define.defineAttack) as typeof define.defineAttack,
    defineInferenceDefense: marked("defense", define.defineInferenceDefense) as typeof define.defineInferenceDefense,
    defineDataset: marked("dataset", define.defineDataset) as typeof define.defineDataset,
    ...{ Type, num, int, bool, text, choice, file, optional, tf, inputGradient, margin, fromBytes, BulwarkError },
  };
  return { api, kindOf: (entry) => (typeof entry === "object" && entry !== null ? kinds.get(entry) : undefined) };
}
