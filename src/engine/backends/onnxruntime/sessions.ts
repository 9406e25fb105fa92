import type { Device } from "../../../shared/devices.ts";
import { machineMemory } from "../../io/memory.ts";
import { releaseSignals } from "../../io/signals.ts";
import { DeviceFailure } from "../failures.ts";
import type { Native, NativeSession, NativeTensor } from "./native.ts";
import { providerOption } from "./provider.ts";
import type { Plan } from "./trace.ts";

/** One compiled graph. `feeds` are the leaves (by number) that it wants as inputs, in order. */
export interface Compiled {
  readonly session: NativeSession;
  readonly feeds: readonly { readonly leaf: number; readonly name: string }[];
  /** Frozen tensors written into it. */
  readonly constants: readonly number[];
  readonly overwrites: Plan["overwrites"];
  readonly bytes: number;
  /** Number of its most recent run. */
  lastRun: number;
}

/** Beyond this share of the memory, the least recently used sessions are released. */
const shareOfMemory = 1 / 4;
/** The graphs of this many recent runs are never released: a step of an attack needs several, which would otherwise be compiled at every step. */
const stepRuns = 6;

/**
 * Graphs that hold this many bytes or more run without onnxruntime's memory planning. Planning saves a few percent of a short run, but it
 * allocates one large block beside the memory of the first run: 80 MB for the input gradient of ResNet-50 for one image, as fast without.
 */
const plannedBelow = 32 * 2 ** 20;

/** A graph with this many bytes of weights may take seconds to compile. */
const slowFrom = 64 * 2 ** 20;

/** Compiled graphs by structural key, bounded by bytes. */
export class Sessions {
  private readonly compiled = new Map<string, Compiled>();
  private bytes = 0;
  private runs = 0;
  compilations = 0;
  /** How many of the compiled graphs have frozen weights. */
  networkCompilations = 0;
  /** Tensors that have left a graph so far. */
  outputs = 0;
  private readonly native: Native;
  private readonly limit: number;
  private readonly threads: number;
  private readonly device: Device;

  constructor(native: Native, threads: number, o: { readonly device?: Device; readonly bytes?: number | undefined } = {}) {
    this.native = native;
    this.threads = threads;
    this.device = o.device ?? "cpu";
    this.limit = o.bytes ?? shareOfMemory * machineMemory();
  }

  get size(): number {
    return this.compiled.size;
  }

  get(key: string): Compiled | undefined {
    const found = this.compiled.get(key);
    if (found) {
      this.compiled.delete(key);
      this.compiled.set(key, found);
    }
    return found;
  }

  /** Estimated bytes that the compiled graphs hold. */
  get heldBytes(): number {
    return this.bytes;
  }

  /** Compiles a model and keeps it. */
  add(key: string, plan: Plan): Compiled {
    const { model, weights, feeds, constants, overwrites, heldBytes } = plan;
    const session = this.onDevice(() => this.native.create());
    const options = {
      executionProviders: [providerOption(this.device, plan.cpuNodes)],
      intraOpNumThreads: this.threads,
      interOpNumThreads: 1,
      externalData: weights,
      graphOptimizationLevel: "all",
      logSeverityLevel: this.device === "cpu" ? 3 : 4, // a failure on a GPU is reported as a warning of the run
      enableMemPattern: heldBytes < plannedBelow,
      extra: { session: { intra_op: { allow_spinning: "0" } } },
    };
    const bytes = weights.reduce((sum, { data }) => sum + data.byteLength, model.byteLength);
    const restore = bytes >= slowFrom ? releaseSignals() : undefined;
    try {
      this.onDevice(() => session.loadModel(model.buffer, model.byteOffset, model.byteLength, options));
    } finally {
      restore?.();
    }
    const compiled: Compiled = { feeds, constants, overwrites, session, bytes: heldBytes, lastRun: this.runs };
    this.compilations++;
    if (constants.length > 0) this.networkCompilations++;
    this.compiled.set(key, compiled);
    this.bytes += compiled.bytes;
    for (const [oldest, { lastRun }] of this.compiled) {
      if (this.bytes <= this.limit || lastRun > this.runs - stepRuns || oldest === key) break;
      this.release(oldest);
    }
    return compiled;
  }

  private release(key: string): void {
    const compiled = this.compiled.get(key);
    if (!compiled) return;
    this.compiled.delete(key);
    this.bytes -= compiled.bytes;
    compiled.session.dispose();
  }

  /** Forgets every graph that a frozen tensor was written into. */
  releaseConstant(id: number): void {
    for (const [key, compiled] of this.compiled) if (compiled.constants.includes(id)) this.release(key);
  }

  clear(): void {
    for (const key of [...this.compiled.keys()]) this.release(key);
  }

  /** @param fetches the outputs by name, with the tensor to write each into or null for a new one */
  run(compiled: Compiled, leaves: readonly NativeTensor[], fetches: Record<string, NativeTensor | null>): Record<string, NativeTensor> {
    const feeds: Record<string, NativeTensor> = {};
    for (const { leaf, name } of compiled.feeds) {
      const tensor = leaves[leaf];
      if (tensor) feeds[name] = tensor;
    }
    compiled.lastRun = ++this.runs;
    this.outputs += Object.keys(fetches).length;
    return this.onDevice(() => compiled.session.run(feeds, fetches, {}));
  }

  /** @throws DeviceFailure for whatever goes wrong anywhere but on the CPU. */
  private onDevice<T>(work: () => T): T {
    if (this.device === "cpu") return work();
    try {
      return work();
    } catch (cause) {
      throw new DeviceFailure(cause instanceof Error ? cause.message : String(cause), { cause });
    }
  }
}
