import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { version_core } from "@tensorflow/tfjs-core";
import type { TensorflowPackage } from "./find.ts";
import { explainFailure, explainNoGpu, explainVersion, type Trouble } from "./reasons.ts";

/** What a trial of one package showed. */
export type Verdict =
  | { readonly works: false; readonly trouble: Trouble }
  | {
      readonly works: true;
      /** GPU as TensorFlow names it, such as "Tesla V100-SXM2-16GB"; undefined when it computes on the CPU. */
      readonly gpu: string | undefined;
      /** Of a GPU build that sees no GPU: why. */
      readonly noGpu?: Trouble;
    };

/** Puts back what tfjs-node calls and Node 23 took away. Handed to the probe's process as text, so it may use nothing but its argument. */
export function restoreUtilities(util: object): void {
  if (!("isNullOrUndefined" in util)) Reflect.set(util, "isNullOrUndefined", (value: unknown) => value === null || value === undefined);
  if (!("isArray" in util)) Reflect.set(util, "isArray", Array.isArray);
}

/**
 * Loads the package and sums a 3 × 3 convolution of ones over an 8 × 8 picture of three channels with four filters: a broken cuDNN, or a
 * function that Node no longer has, shows in the first convolution and not before.
 */
const trial = `(${restoreUtilities.toString()})(require("util"));
const tf = require(process.argv[1]);
const sum = tf.sum(tf.conv2d(tf.ones([1, 8, 8, 3]), tf.ones([3, 3, 3, 4]), 1, "same")).dataSync()[0];
const { version = {} } = tf;
process.stdout.write("\\n" + JSON.stringify({ sum, core: version["tfjs-core"], gpu: tf.backend().isUsingGpuDevice === true }) + "\\n");`;
/** Per filter 36 inner places × 27, 24 at the sides × 18 and 4 corners × 12; four filters. */
const expectedSum = 4 * (36 * 27 + 24 * 18 + 4 * 12);

interface Outcome {
  readonly sum: number;
  readonly core: string | undefined;
  readonly gpu: boolean;
}

/** Seconds: at the start of an engine, which the editor awaits for a minute; and for the doctor, who may wait for a first translation of kernels. */
export const patience = { start: 30, doctor: 300 } as const;

/** Environment variables set for TensorFlow unless the user has set them. */
export function settings(): Record<string, string> {
  const threads = process.env["BULWARK_THREADS"];
  return {
    TF_FORCE_GPU_ALLOW_GROWTH: "true", // else the warm engine leaves no memory for a run
    CUDA_CACHE_MAXSIZE: "2147483648", // else the kernels for a new GPU are translated again at every start
    ...(Number(threads) > 0 ? { TF_NUM_INTRAOP_THREADS: String(threads) } : {}),
  };
}

/** Tries a package in a child process, so that nothing in it can end or disturb this one. */
export function probeTensorflow(found: TensorflowPackage, seconds: number = patience.start): Promise<Verdict> {
  return new Promise((resolve) => {
    // Level 0: the reasons for not seeing a GPU are mere information and warnings to TensorFlow.
    const env = { ...settings(), ...process.env, ELECTRON_RUN_AS_NODE: "1", TF_CPP_MIN_LOG_LEVEL: "0" };
    const options = { env, cwd: found.place, timeout: seconds * 1000, killSignal: "SIGKILL", maxBuffer: 1 << 26 } as const;
    execFile(process.execPath, ["-e", trial, found.file], options, (error, stdout, stderr) => {
      const outcome = error ? undefined : readOutcome(stdout);
      if (outcome) return resolve(judge(outcome, stderr, found));
      const timedOut = error?.killed === true;
      const signal = timedOut ? null : (error?.signal ?? null);
      resolve({ works: false, trouble: explainFailure({ said: stderr, signal, timedOut, seconds }, found) });
    });
  });
}

function readOutcome(stdout: string): Outcome | undefined {
  const line = stdout.trim().split("\n").at(-1) ?? "";
  try {
    return JSON.parse(line) as Outcome; // our own script wrote it
  } catch {
    return undefined;
  }
}

function judge({ sum, core = "of unknown version", gpu }: Outcome, said: string, found: TensorflowPackage): Verdict {
  if (core !== version_core) return { works: false, trouble: explainVersion(core, version_core, found) };
  if (sum !== expectedSum) {
    const reason = `it computes wrongly: a convolution came to ${sum} in place of ${expectedSum}`;
    return { works: false, trouble: { reason, fix: "Leave the backend to auto, and check the GPU's driver." } };
  }
  if (gpu) return { works: true, gpu: /device: 0, name: ([^,\n]+)/.exec(said)?.[1] ?? "NVIDIA GPU" };
  return found.gpu ? { works: true, gpu: undefined, noGpu: explainNoGpu(said) } : { works: true, gpu: undefined };
}

const drivers: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  linux: ["/dev/nvidiactl", "/dev/dxg", "/dev/nvhost-ctrl"], // dxg: Windows' GPU inside WSL
  win32: [`${process.env["SystemRoot"] ?? "C:\\Windows"}\\System32\\nvcuda.dll`],
};
/** Whether an NVIDIA driver is there at all; without one no GPU build need be tried. */
export const hasNvidiaDriver = (): boolean => (drivers[process.platform] ?? []).some((file) => existsSync(file));
