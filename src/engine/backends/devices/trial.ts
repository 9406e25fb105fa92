import { execFile } from "node:child_process";
import type { Device } from "../../../shared/devices.ts";
import { type ElementType, encodeModel } from "../onnxruntime/onnx.ts";
import { providers } from "../onnxruntime/provider.ts";

/** Result of trying a device in a separate process. */
export interface Trial {
  /** Largest difference from the CPU, relative to its largest number; undefined when the trial failed earlier. */
  readonly difference?: number;
  /** How many times as fast as the CPU the trial's graph ran, copies included. */
  readonly speed?: number;
  /** Graphics drivers that the process had loaded (Linux). */
  readonly drivers: readonly string[];
  /** Everything the process printed, errors of the system's loader included. */
  readonly said: string;
  readonly signal: string | null;
  readonly timedOut: boolean;
}

const size = 16;
const channels = 32;
const classes = 10;

/** A 3 × 3 convolution and a matrix product, the two operations that networks are made of: 16 images of 16 × 16 × 32. */
function trialModel(): Uint8Array {
  const input = [16, channels, size, size];
  const weights = (count: number): Uint8Array =>
    new Uint8Array(Float32Array.from({ length: count }, (_, i) => ((i * 37) % 101) / 505).buffer);
  const initializer = (name: string, shape: readonly number[], bytes: Uint8Array, dtype: ElementType = "float32") => ({
    name,
    shape,
    bytes,
    dtype,
  });
  const flat = size * size * channels;
  return encodeModel({
    nodes: [
      { type: "Conv", inputs: ["x", "w"], outputs: ["c"], attributes: { kernel_shape: [3, 3], pads: [1, 1, 1, 1] } },
      { type: "Flatten", inputs: ["c"], outputs: ["f"], attributes: { axis: 1 } },
      { type: "MatMul", inputs: ["f", "m"], outputs: ["y"], attributes: {} },
    ],
    initializers: [
      initializer("w", [channels, channels, 3, 3], weights(channels * channels * 9)),
      initializer("m", [flat, classes], weights(flat * classes)),
    ],
    inputs: [{ name: "x", dtype: "float32", shape: input }],
    outputs: [{ name: "y", dtype: "float32", shape: [16, classes] }],
  });
}

/**
 * The child's program; it reads JSON from stdin (the model is too long for an argument) and may use nothing of ours. No node of the trial may be left to the CPU, or a device
 * that does nothing would pass.
 */
const program = `
const { binding: file, common, provider, model } = JSON.parse(require("fs").readFileSync(0, "utf8"));
const { binding, initOrt } = require(file);
const { Tensor } = require(common);
initOrt();
const bytes = new Uint8Array(Buffer.from(model, "base64"));
const shape = [16, ${channels}, ${size}, ${size}];
const x = new Tensor("float32", Float32Array.from({ length: 16 * ${channels * size * size} }, (_, i) => ((i * 29) % 97) / 97), shape);
const measure = (name) => {
  const session = new binding.InferenceSession();
  session.loadModel(bytes.buffer, bytes.byteOffset, bytes.byteLength, {
    executionProviders: [name], logSeverityLevel: 3, extra: { session: { disable_cpu_ep_fallback: name === "cpu" ? "0" : "1" } },
  });
  const y = session.run({ x }, { y: null }, {}).y.data;
  let best = Infinity;
  const end = performance.now() + 700;
  for (let i = 0; i < 20 && (i === 0 || performance.now() < end); i++) {
    const start = performance.now();
    session.run({ x }, { y: null }, {});
    best = Math.min(best, performance.now() - start);
  }
  return { y, best };
};
const device = measure(provider);
const cpu = measure("cpu");
let difference = 0, scale = 0;
for (let i = 0; i < cpu.y.length; i++) {
  difference = Math.max(difference, Math.abs(cpu.y[i] - device.y[i]) || (cpu.y[i] === device.y[i] ? 0 : Infinity));
  scale = Math.max(scale, Math.abs(cpu.y[i]));
}
let drivers = [];
try {
  const maps = require("fs").readFileSync("/proc/self/maps", "utf8");
  drivers = [...new Set(maps.match(/[^\\s/]*(?:vulkan_|vk_|GLX_nvidia|nvidia-|libcuda)[^\\s/]*/g))];
} catch {}
require("fs").writeSync(1, "\\n" + JSON.stringify({ difference: difference / scale, speed: cpu.best / device.best, drivers }) + "\\n");
process.exit(0);`;

export interface TrialOptions {
  /** onnxruntime-node's binding.js and main file. */
  readonly binding: string;
  readonly common: string;
  readonly seconds?: number;
  /** Replaces the trial program; used by tests of crashing processes. */
  readonly program?: string;
}

/** Tries a device in a child process, so that a driver that crashes or hangs takes nothing else with it. */
export function tryDevice(device: Device, o: TrialOptions): Promise<Trial> {
  const { binding, common, seconds = 30 } = o;
  const argument = JSON.stringify({ binding, common, provider: providers[device], model: Buffer.from(trialModel()).toString("base64") });
  return new Promise((resolve) => {
    const env = { ...process.env, ELECTRON_RUN_AS_NODE: "1" };
    const options = { env, timeout: seconds * 1000, killSignal: "SIGKILL", maxBuffer: 1 << 26 } as const;
    const child = execFile(process.execPath, ["-e", o.program ?? program], options, (error, stdout, stderr) => {
      const timedOut = error?.killed === true;
      const found = readFigures(stdout);
      resolve({ ...found, said: `${stdout}\n${stderr}`, signal: timedOut ? null : (error?.signal ?? null), timedOut });
    });
    child.stdin?.on("error", () => undefined); // a child that died before it read
    child.stdin?.end(argument);
  });
}

function readFigures(stdout: string): Pick<Trial, "difference" | "speed" | "drivers"> {
  try {
    const found = JSON.parse(stdout.trim().split("\n").at(-1) ?? "") as Partial<Pick<Trial, "difference" | "speed" | "drivers">>;
    // Infinity and NaN are null in JSON.
    if (Array.isArray(found.drivers))
      return { drivers: found.drivers, difference: found.difference ?? Number.POSITIVE_INFINITY, speed: found.speed ?? 0 };
  } catch {
    // It did not get as far as writing its figures.
  }
  return { drivers: [] };
}
