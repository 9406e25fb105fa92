import path from "node:path";
import { BulwarkError } from "../../shared/errors.ts";
import { DeviceFailure, isOutOfMemory } from "../backends/failures.ts";
import type { Attack, AttackBatch, Entry } from "../define/index.ts";
import { tf } from "../tf.ts";
import type { PluginKind } from "./api.ts";
import { watched } from "./deadline.ts";

type Call = (...args: readonly unknown[]) => unknown;

/** The entry with its functions guarded: whatever they throw names the plugin's file and line, and an attack returns images. */
export function guarded<E extends Entry>(entry: E, kind: PluginKind, file: string): E {
  const functions = Object.entries(entry).filter((pair): pair is [string, Call] => typeof pair[1] === "function");
  const wrapped = functions.map(([name, call]) => [name, guardedCall(call, `${entry.id}.${name}`, file)] as const);
  const all = { ...entry, ...Object.fromEntries(wrapped) };
  return kind === "attack" ? ({ ...all, run: returningImages(all as unknown as Attack, file) } as unknown as E) : all;
}

function guardedCall(call: Call, what: string, file: string): Call {
  const failed = (thrown: unknown): never => {
    throw asPluginError(thrown, file, `${what} failed`);
  };
  return (...args) => {
    try {
      const result = watched(file, () => call(...args));
      return result instanceof Promise ? result.catch(failed) : result;
    } catch (thrown) {
      return failed(thrown);
    }
  };
}

/** `run` of an attack, which has to return a tensor like its images. */
function returningImages(attack: Attack, file: string): Attack["run"] {
  return async (model, batch: AttackBatch, params, ctx) => {
    const wanted = batch.images.shape;
    const result: unknown = await attack.run(model, batch, params, ctx);
    const isImages = result instanceof tf.Tensor && result.shape.join() === wanted.join();
    if (isImages) return result as typeof batch.images;
    const got = result instanceof tf.Tensor ? `a tensor [${result.shape.join(", ")}]` : nameOf(result);
    if (result instanceof tf.Tensor) result.dispose();
    throw new BulwarkError(
      "PLUGIN_FAILED",
      `${path.basename(file)}: ${attack.id}.run returned ${got} in place of images [${wanted.join(", ")}].`,
      "Return the adversarial images as one float32 tensor of the shape of batch.images.",
    );
  };
}

const nameOf = (value: unknown): string => (value === undefined ? "nothing" : value === null ? "null" : `a value of type ${typeof value}`);

/** What a plugin threw, with its file and line; what was meant for the user or the harness stays. */
export function asPluginError(
  thrown: unknown,
  file: string,
  what: string,
  code: "PLUGIN_FAILED" | "PLUGIN_INVALID" = "PLUGIN_FAILED",
): unknown {
  if (thrown instanceof BulwarkError || thrown instanceof DeviceFailure || isOutOfMemory(thrown)) return thrown;
  const message = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new BulwarkError(
    code,
    `${placeIn(thrown, file)}: ${what}: ${message.replace(/\.?\s*$/, "")}.`,
    "Mend the plugin; `bulwark check-plugin` tries it.",
    {
      cause: thrown,
      ...(thrown instanceof Error && thrown.stack ? { detail: thrown.stack } : {}),
    },
  );
}

/** "my-attack.mjs:12" where the stack says the line. */
function placeIn(thrown: unknown, file: string): string {
  const name = path.basename(file);
  const stack = thrown instanceof Error ? (thrown.stack ?? "") : "";
  const at = stack.split("\n").find((line) => line.includes(encodeURI(name)));
  const line = at && /\.mjs[^:\s]*:(\d+)/.exec(at)?.[1];
  return line === undefined || line === "" ? name : `${name}:${line}`;
}
