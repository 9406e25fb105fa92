import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { type Device, deviceTitles } from "../../../shared/devices.ts";
import { requireNative, resolveFile } from "../paths.ts";
import type { ElementType } from "./onnx.ts";

/** onnxruntime's own tensor. */
export interface NativeTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: Float32Array | Int32Array | Uint8Array;
}
export interface NativeSession {
  loadModel(buffer: ArrayBufferLike, offset: number, length: number, options: object): void;
  run(feeds: Record<string, NativeTensor>, fetches: Record<string, NativeTensor | null>, options: object): Record<string, NativeTensor>;
  dispose(): void;
  endProfiling(): void;
}
export interface Native {
  create(): NativeSession;
  /** An array as onnxruntime's tensor; nothing is copied. */
  tensor(type: ElementType, data: NativeTensor["data"], dims: readonly number[]): NativeTensor;
}
interface BindingModule {
  readonly initOrt: () => void;
  readonly binding: { readonly InferenceSession: new () => NativeSession };
}
interface CommonModule {
  readonly Tensor: new (type: string, data: NativeTensor["data"], dims: readonly number[]) => NativeTensor;
}

/** onnxruntime-node's own files. */
export interface RuntimeFiles {
  readonly binding: string;
  readonly common: string;
}

/** Where onnxruntime-node lies; undefined where there is none. */
export function runtimeFiles(): RuntimeFiles | undefined {
  const binding = resolveFile("onnxruntime-node/dist/binding.js");
  const common = resolveFile("onnxruntime-node");
  return binding !== undefined && common !== undefined ? { binding, common } : undefined;
}

/**
 * Loads the native part. onnxruntime-node's public API is asynchronous, the binding beneath it is not, and tfjs' `dataSync` needs that:
 * hence the exactly pinned version and this one place that reaches below it.
 */
export function loadNative(): Native {
  const { binding, initOrt } = requireNative("onnxruntime-node/dist/binding.js") as BindingModule;
  const { Tensor } = requireNative("onnxruntime-node") as CommonModule;
  initOrt();
  return {
    create: () => new binding.InferenceSession(),
    tensor: (type, data, dims) => new Tensor(type, data, dims),
  };
}

/** A tensor of onnxruntime-node's public API. */
export interface PublicTensor {
  readonly type: string;
  readonly dims: readonly number[];
  readonly data: ArrayLike<number>;
}
export interface PublicModule {
  readonly Tensor: new (type: string, data: ArrayLike<number | bigint | string>, dims: readonly number[]) => PublicTensor;
  readonly InferenceSession: {
    create(model: string | Uint8Array, options: object): Promise<PublicSession>;
  };
}
export interface PublicSession {
  readonly inputNames: readonly string[];
  /** In the order of the names. Of a size that the file leaves open, its name. */
  readonly inputMetadata: readonly { readonly name: string; readonly type?: string; readonly shape?: readonly (number | string)[] }[];
  readonly outputNames: readonly string[];
  run(feeds: Record<string, PublicTensor>): Promise<Record<string, PublicTensor>>;
  release(): Promise<void>;
}

/** The public API of onnxruntime-node; undefined where it is not installed. */
export function publicRuntime(): PublicModule | undefined {
  return runtimeFiles() && (requireNative("onnxruntime-node") as PublicModule);
}

/** Physical cores: two threads on one core only slow matrix products down. */
function physicalCores(): number {
  const logical = availableParallelism();
  try {
    const cores = new Set<string>();
    for (const block of readFileSync("/proc/cpuinfo", "utf8").split("\n\n")) {
      const core = /^core id\s*:\s*(\d+)/m.exec(block)?.[1];
      if (core !== undefined) cores.add(`${/^physical id\s*:\s*(\d+)/m.exec(block)?.[1] ?? 0}/${core}`);
    }
    if (cores.size > 0) return Math.min(logical, cores.size);
  } catch {
    // Not Linux: estimate below.
  }
  return process.arch === "x64" ? Math.max(1, Math.floor(logical / 2)) : logical;
}

/** Threads of one kernel: BULWARK_THREADS when set, else the physical cores. */
export function threadCount(): number {
  const wanted = Number(process.env["BULWARK_THREADS"]);
  return Number.isInteger(wanted) && wanted > 0 ? wanted : physicalCores();
}

/** A device in words; `name` is what the probe found it to be called. */
export function deviceText(device: Device, threads: number, name?: string): string {
  if (device !== "cpu") return `ONNX Runtime, ${deviceTitles[device]}${name ? ` (${name})` : ""}`;
  return `ONNX Runtime, CPU, ${threads} ${threads === 1 ? "thread" : "threads"}`;
}
