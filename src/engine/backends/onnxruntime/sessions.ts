import type { Native, NativeSession, NativeTensor } from "./native.ts";

/** One compiled graph. `feeds` are the leaves (by number) that it wants as inputs, in order. */
export interface Compiled {
  readonly session: NativeSession;
  readonly feeds: readonly { readonly leaf: number; readonly name: string }[];
  readonly fetches: Record<string, null>;
  /** Frozen tensors written into it. */
  readonly constants: readonly number[];
  readonly bytes: number;
}

/** Least recently used sessions are released beyond this many bytes (models with their weights, and an estimate of their arenas). */
const defaultLimit = 1.5 * 2 ** 30;

/** Compiled graphs by structural key, bounded by bytes. */
export class Sessions {
  private readonly compiled = new Map<string, Compiled>();
  private bytes = 0;
  compilations = 0;
  private readonly native: Native;
  private readonly limit: number;
  private readonly threads: number;

  constructor(native: Native, threads: number, limit: number = defaultLimit) {
    this.native = native;
    this.threads = threads;
    this.limit = limit;
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

  /** Compiles a model and keeps it; `arenaBytes` estimates what it will hold while it lives. */
  add(key: string, model: Uint8Array, parts: Omit<Compiled, "session" | "bytes">, arenaBytes: number): Compiled {
    const session = this.native.create();
    session.loadModel(model.buffer, model.byteOffset, model.byteLength, {
      intraOpNumThreads: this.threads,
      interOpNumThreads: 1,
      graphOptimizationLevel: "all",
      logSeverityLevel: 3,
      extra: { session: { intra_op: { allow_spinning: "0" } } },
    });
    const compiled = { ...parts, session, bytes: 2 * model.byteLength + arenaBytes };
    this.compilations++;
    this.compiled.set(key, compiled);
    this.bytes += compiled.bytes;
    for (const [oldest] of this.compiled) {
      if (this.bytes <= this.limit || oldest === key) break;
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

  run(compiled: Compiled, leaves: readonly NativeTensor[]): Record<string, NativeTensor> {
    const feeds: Record<string, NativeTensor> = {};
    for (const { leaf, name } of compiled.feeds) {
      const tensor = leaves[leaf];
      if (tensor) feeds[name] = tensor;
    }
    return compiled.session.run(feeds, compiled.fetches, {});
  }
}
