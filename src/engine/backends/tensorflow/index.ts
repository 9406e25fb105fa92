import { createRequire } from "node:module";
import util from "node:util";
import * as tf from "@tensorflow/tfjs-core";
import { BulwarkError } from "../../../shared/errors.ts";
import type { BackendReport } from "../../../shared/protocol.ts";
import { findTensorflow, pinnedVersion, type TensorflowPackage } from "./find.ts";
import { hasNvidiaDriver, patience, probeTensorflow, restoreUtilities, settings } from "./probe.ts";
import type { Trouble } from "./reasons.ts";

const backendName = "tensorflow";

/** What `prepare` made ready: the device in words, and what the user should know about it. */
export interface Prepared {
  readonly device: string;
  readonly warnings: string[];
}
let prepared: Prepared | undefined;

const deviceOf = (gpu: string | undefined): string => (gpu === undefined ? "TensorFlow, CPU" : `TensorFlow, ${gpu}`);

/**
 * True when `auto` should try it: a GPU build is installed and there is a driver. CPU builds are used only where they are chosen, and so is a
 * copy that lies in the folder: it is code of whoever made the folder.
 */
export const mayHaveGpu = (): boolean =>
  hasNvidiaDriver() && findTensorflow().some(({ gpu, installedByCommand }) => gpu && installedByCommand);

/**
 * Loads the first native TensorFlow that works, which registers the tfjs backend `tensorflow`. Each is tried in a child process before.
 * @param wanted "gpu" takes only one that sees a GPU; "cpu" hides the GPUs from it.
 * @throws BACKEND_UNAVAILABLE with the reason and the remedy.
 */
export async function prepare(wanted: "any" | "gpu" | "cpu" = "any"): Promise<Prepared> {
  if (prepared) return prepared;
  if (wanted === "cpu") process.env["CUDA_VISIBLE_DEVICES"] = "-1";
  const candidates = findTensorflow().filter(({ gpu, installedByCommand }) => wanted !== "gpu" || (gpu && installedByCommand));
  const troubles: Trouble[] = [];
  for (const found of candidates) {
    const verdict = await probeTensorflow(found);
    if (!verdict.works) troubles.push(named(found, verdict.trouble));
    else if (wanted === "gpu" && verdict.noGpu) troubles.push(named(found, noGpu(verdict.noGpu)));
    else {
      load(found);
      const notes = verdict.noGpu && wanted !== "cpu" ? [sentence(named(found, noGpu(verdict.noGpu)))] : [];
      prepared = { device: deviceOf(verdict.gpu), warnings: [...troubles.map(sentence), ...notes] };
      return prepared;
    }
  }
  const [first] = troubles;
  if (first) throw new BulwarkError("BACKEND_UNAVAILABLE", `The backend tensorflow cannot start: ${first.reason}.`, first.fix);
  throw new BulwarkError(
    "BACKEND_UNAVAILABLE",
    "The backend tensorflow cannot start: no @tensorflow/tfjs-node is installed.",
    `Run \`npm install @tensorflow/tfjs-node@${pinnedVersion}\` in this folder, or “Bulwark: Install GPU Runtime” in the editor.`,
  );
}

const named = ({ id }: TensorflowPackage, { reason, fix }: Trouble): Trouble => ({ reason: `${id} is installed, but ${reason}`, fix });
const noGpu = ({ reason, fix }: Trouble): Trouble => ({ reason: `sees no GPU: ${reason}`, fix });
const sentence = ({ reason, fix }: Trouble): string => `${reason}. ${fix}`;

/**
 * Into this process. The package brings its own copy of tfjs-core. All copies share one engine, one table of kernels and one of gradients
 * (`globalThis._tfengine`, `_tfGlobals`), so the backend that it registers is ours to use. But its copy also registers tfjs' own gradients
 * over ours, which are put back, and warns of everything that was registered before, which is silenced.
 */
function load({ file }: TensorflowPackage): void {
  process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "2"; // errors; the probe has told the rest
  for (const [name, value] of Object.entries(settings())) process.env[name] ??= value;
  restoreUtilities(util);
  const gradients = Object.values<unknown>({ ...tf }).flatMap((name) => (typeof name === "string" ? (tf.getGradient(name) ?? []) : []));
  const production = tf.env().getBool("PROD");
  tf.env().set("PROD", true);
  try {
    createRequire(file)(file);
  } finally {
    tf.env().set("PROD", production);
    for (const gradient of gradients) tf.registerGradient(gradient);
  }
  if (!tf.findBackendFactory(backendName)) throw new Error("tfjs-node registered its backend with another copy of tfjs-core");
}

/** The doctor looks at any folder: it runs nothing of one. */
const untried = ({ id }: TensorflowPackage): string =>
  `${id} is in this folder and was not tried; select the backend tensorflow to use it.`;

/** For the doctor: what each package that the command installed can do, the first that works before all. */
export async function report(): Promise<BackendReport> {
  const found = findTensorflow();
  if (found.length === 0)
    return { name: backendName, available: false, reason: "neither @tensorflow/tfjs-node-gpu nor @tensorflow/tfjs-node is installed" };
  const told = found.filter(({ installedByCommand }) => !installedByCommand).map(untried);
  for (const one of found.filter(({ installedByCommand }) => installedByCommand)) {
    const verdict = await probeTensorflow(one, patience.doctor);
    if (verdict.works) {
      const notes = verdict.noGpu ? [sentence(named(one, noGpu(verdict.noGpu)))] : [];
      return {
        name: backendName,
        available: true,
        gpu: verdict.gpu !== undefined,
        device: [deviceOf(verdict.gpu), ...told, ...notes].join("; "),
      };
    }
    told.push(sentence(named(one, verdict.trouble)));
  }
  return { name: backendName, available: false, reason: told.join(" ") };
}
