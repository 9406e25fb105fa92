import { backend_util, DataStorage, type DataType, engine, KernelBackend, type TensorInfo } from "@tensorflow/tfjs-core";
import { type Device, deviceTitles } from "../../../shared/devices.ts";
import { asFailure, DeviceFailure, isOutOfMemory, outOfMemory, warnOfDevice } from "../failures.ts";
import { Buffers } from "./buffers.ts";
import { isInGradient, refuseReadInGradient } from "./gradientScope.ts";
import { sizeOf } from "./graph.ts";
import { type Attributes, attributeKey, isSameShape } from "./keys.ts";
import { deviceText, type Native, type NativeTensor } from "./native.ts";
import { blockedChannels } from "./nchwc.ts";
import type { ElementType } from "./onnx.ts";
import { reasonOf } from "./reason.ts";
import { Sessions } from "./sessions.ts";
import { type Entry, type Lower, type Node, planOf, stillPossible, type Trace, tracesOf } from "./trace.ts";
import { emptyValues, own } from "./values.ts";

/**
 * Number of pending nodes at which the backend computes unasked: compiling grows faster than linearly with the graph. Never inside a gradient,
 * however deep the network: everything that the tape still holds would have to be computed and kept.
 */
const pendingLimit = 1000;
/** Fewer pending nodes than this are not taken for a step of a loop; the backend waits for more. */
const stepLimit = 40;

/** Name of the scope around work that may be tried again. */
const attemptScope = "attempt";

export interface Result {
  readonly shape: readonly number[];
  readonly dtype: DataType;
}

/**
 * A tfjs backend whose kernels do not compute: each records a node, and reading a tensor compiles everything pending that is still
 * referenced into one ONNX graph, which onnxruntime runs. Equal graphs are compiled once.
 */
export class OnnxBackend extends KernelBackend {
  sessions: Sessions;
  /** What computes; the CPU once another one has failed. */
  device: Device;
  /** Largest batch that the device has managed; callers halve a batch that fails and then stay below it. */
  largestBatch = Number.POSITIVE_INFINITY;
  private readonly native: Native;
  private readonly data = new DataStorage<Entry>(this, engine());
  private pending: Node[] = [];
  readonly buffers: Buffers;
  private constants = 0;
  /** The outermost scope that was recorded in last. */
  private scope: number | undefined;
  private readonly threads: number;
  private readonly bytes: number | undefined;
  /** What the device is called. */
  private readonly name: string | undefined;
  private block: number;
  private attempts = 0;

  constructor(
    native: Native,
    threads: number,
    o: { readonly device?: Device; readonly name?: string | undefined; readonly bytes?: number } = {},
  ) {
    super();
    this.native = native;
    this.buffers = new Buffers(native);
    this.threads = threads;
    this.bytes = o.bytes;
    this.device = o.device ?? "cpu";
    this.name = o.name;
    this.block = this.device === "cpu" ? blockedChannels(native) : 0; // a layout that only the CPU's provider knows
    this.sessions = new Sessions(native, threads, { device: this.device, bytes: o.bytes });
  }

  /** Records a kernel with one result. `op` and `attributes` must determine what `lower` writes, given the inputs. */
  record(op: string, attributes: Attributes, inputs: readonly TensorInfo[], result: Result, lower: Lower): TensorInfo {
    const [info] = this.recordAll(op, attributes, inputs, [result], lower);
    if (!info) throw new Error(`${op} recorded nothing`);
    return info;
  }

  /** Records a kernel with several results. */
  recordAll(op: string, attributes: Attributes, inputs: readonly TensorInfo[], results: readonly Result[], lower: Lower): TensorInfo[] {
    if (results.every(({ shape }) => shape.includes(0)))
      return results.map(({ shape, dtype }) => this.host(emptyValues(dtype, 0), shape, dtype));
    this.flushBetweenSteps();
    const outputs: Entry[] = results.map(({ shape, dtype }) => ({ refs: 1, shape, dtype }));
    const entries = inputs.map((info) => this.data.get(info.dataId));
    const node: Node = {
      key: `${op}${attributeKey(attributes)}[${results.map(({ shape, dtype }) => `${dtype} ${shape}`)}]`,
      inputs: entries,
      // The entry's own array where the shape is the same: the key is then shorter.
      shapes: inputs.map((info, i) => (entries[i] && isSameShape(info.shape, entries[i].shape) ? entries[i].shape : info.shape)),
      lower,
      outputs,
    };
    this.pending.push(node);
    return outputs.map((entry) => {
      const dataId = {};
      this.data.set(dataId, entry);
      return { dataId, shape: [...entry.shape], dtype: entry.dtype };
    });
  }

  /**
   * A new outermost `tidy` (tfjs names the scopes of single operations and of gradients, and leaves this one unnamed) is the next step of
   * somebody's loop: what the last one left is computed, so that every step is the same graph, compiled once, even where nothing is read
   * in between. Loops without `tidy` are cut at a limit.
   */
  private flushBetweenSteps(): void {
    const outermost = engine().state.scopeStack.find(({ name }) => name !== attemptScope);
    const stepped = outermost !== undefined && outermost.id !== this.scope && outermost.name === "unnamed scope";
    this.scope = outermost?.id;
    const isFull = this.pending.length >= pendingLimit && !isInGradient();
    if (isFull || (stepped && this.pending.length >= stepLimit)) this.computePending();
  }

  /** A tensor over an existing array that has no other owner. */
  host(values: backend_util.BackendValues, shape: readonly number[], dtype: DataType): TensorInfo {
    const dataId = {};
    this.data.set(dataId, { refs: 1, values, shape, dtype });
    return { dataId, shape: [...shape], dtype };
  }

  /** As `host`, but copies: for an array that may have another owner or another type. */
  adopt(values: backend_util.BackendValues, shape: readonly number[], dtype: DataType): TensorInfo {
    return this.host(own(values, dtype), shape, dtype);
  }

  /** A complex tensor of two real ones, whose values are copied. Complex numbers never enter a graph. */
  complex(real: TensorInfo, imag: TensorInfo): TensorInfo {
    const part = (info: TensorInfo): TensorInfo => this.adopt(this.readSync(info.dataId), info.shape, "float32");
    const dataId = {};
    this.data.set(dataId, { refs: 1, shape: real.shape, dtype: "complex64", complex: { real: part(real), imag: part(imag) } });
    return { dataId, shape: real.shape, dtype: "complex64" };
  }

  /** The same data under another shape. */
  alias(x: TensorInfo, shape: readonly number[]): TensorInfo {
    this.incRef(x.dataId);
    return { dataId: x.dataId, shape: [...shape], dtype: x.dtype };
  }

  /** The values, if nothing has to be computed for them. */
  known(x: TensorInfo): backend_util.BackendValues | undefined {
    return this.data.get(x.dataId).values;
  }

  entry(x: TensorInfo): Entry {
    return this.data.get(x.dataId);
  }

  /** Computes every pending tensor that is still referenced. */
  flush(): void {
    if (this.pending.length > 0) refuseReadInGradient();
    this.computePending();
  }

  private computePending(): void {
    // Cleared only if nothing throws: what could not be computed may still be asked for.
    if (this.pending.length > 0) this.buffers.age();
    const traces = tracesOf(this.pending);
    for (const trace of traces) this.compute(trace, traces.length === 1);
    this.clearPending();
  }

  private clearPending(): void {
    this.pending = [];
    this.buffers.recycle();
  }

  /** A device that fails gives way to the CPU, where the same graph has the same inputs: everything that is fed lies in the host's memory. */
  private compute(trace: Trace, isOnly: boolean): void {
    try {
      this.execute(trace, isOnly);
    } catch (thrown) {
      this.pending = stillPossible(this.pending, trace, thrown);
      if (this.device === "cpu" && isOutOfMemory(thrown)) throw this.attempts > 0 ? asFailure(thrown) : outOfMemory(thrown);
      if (!(thrown instanceof DeviceFailure) || this.attempts > 0) throw thrown;
      this.giveUp(thrown);
      this.execute(trace, false);
    }
  }

  private giveUp(failure: DeviceFailure): void {
    const lost = deviceTitles[this.device];
    try {
      this.sessions.clear();
    } catch {
      // A lost device may refuse even this; its sessions go with the process.
    }
    this.device = "cpu";
    this.largestBatch = Number.POSITIVE_INFINITY;
    this.block = blockedChannels(this.native);
    this.sessions = new Sessions(this.native, this.threads, { bytes: this.bytes });
    const message = `${lost} failed while it computed (${reasonOf(failure)}); the CPU continues from the same step.`;
    warnOfDevice({ message, action: "cpu", device: deviceText("cpu", this.threads) });
  }

  /**
   * Runs work that computes `images` at once. If the device fails or the CPU runs out of memory, it discards what the work left pending and
   * throws DeviceFailure, so that the caller can retry with half as many. It just runs the work for a single image, and on a GPU that has
   * already failed with a larger batch: if half of it fails too, memory is not the only cause.
   */
  async attempt<T>(images: number, work: () => Promise<T>): Promise<T> {
    if (images < 2 || (this.device !== "cpu" && Number.isFinite(this.largestBatch))) return work();
    this.flush();
    const scope = engine();
    this.attempts++;
    scope.startScope(attemptScope);
    try {
      const result = await work();
      for (const tensor of scope.state.activeScope.track) scope.keep(tensor); // what lives on does so at the work's own will
      return result;
    } catch (thrown) {
      // Arrays that the work itself makes may be the ones there is no memory for.
      const failure = this.device === "cpu" ? asFailure(thrown) : thrown;
      if (failure instanceof DeviceFailure) this.halve(failure, images);
      throw failure;
    } finally {
      scope.endScope();
      this.attempts--;
    }
  }

  private halve(failure: DeviceFailure, images: number): void {
    this.clearPending(); // including kept tensors, which would otherwise be computed again with the next batch
    this.sessions.clear();
    this.buffers.clear();
    this.largestBatch = Math.ceil(images / 2);
    const what = this.device === "cpu" ? "Memory ran out" : `${deviceTitles[this.device]} failed`;
    const message = `${what} with ${images} images at once (${reasonOf(failure)}); half as many are tried.`;
    warnOfDevice({ message, action: "halved", device: deviceText(this.device, this.threads, this.name) });
  }

  /** @param isOnly whether no other graph that is pending can want the same leaves */
  private execute(trace: Trace, isOnly: boolean): void {
    const compiled = this.sessions.get(trace.key) ?? this.sessions.add(trace.key, planOf(trace, this.block, this.device, this.threads));
    const feeds = trace.leaves.map((leaf) => this.feed(leaf));
    const buffers =
      this.device === "cpu" ? this.buffers.forResults(trace, isOnly ? compiled.overwrites : []) : trace.results.map(() => null);
    const outputs = this.sessions.run(compiled, feeds, Object.fromEntries(buffers.map((buffer, i) => [`O${i}`, buffer])));
    for (const [i, entry] of trace.results.entries()) {
      const tensor = buffers[i] ?? outputs[`O${i}`];
      if (!tensor) throw new Error(`onnxruntime returned no O${i}`);
      entry.values = tensor.data;
      entry.feed = tensor;
      entry.isOurs = Boolean(buffers[i]);
    }
  }

  private feed(entry: Entry): NativeTensor {
    if (!entry.feed) {
      if (!ArrayBuffer.isView(entry.values)) throw new Error("a leaf of the graph has no values");
      entry.feed = this.native.tensor(entry.dtype as ElementType, entry.values, entry.shape);
    }
    return entry.feed;
  }

  /** Marks tensors as constants of the graphs to come; see `freeze` in ../index.ts. Graphs that hold them stay until the tensors go. */
  freeze(tensors: readonly TensorInfo[]): () => void {
    this.flush();
    const entries = tensors.map(({ dataId }) => this.data.get(dataId)).filter((entry) => sizeOf(entry.shape) > 0);
    for (const entry of entries) {
      entry.constant ??= ++this.constants;
      entry.freezers = (entry.freezers ?? 0) + 1;
    }
    return () => {
      for (const entry of entries) entry.freezers = (entry.freezers ?? 1) - 1;
      entries.length = 0;
    };
  }

  override write(values: backend_util.BackendValues, shape: number[], dtype: DataType): object {
    const info = this.host(own(values, dtype), shape, dtype);
    this.entry(info).isOurs = dtype === "float32" && this.entry(info).values !== values;
    return info.dataId;
  }

  override move(dataId: object, values: backend_util.BackendValues, shape: number[], dtype: DataType, refs: number): void {
    this.data.set(dataId, { refs, values: own(values, dtype), shape, dtype });
  }

  override readSync(dataId: object): backend_util.BackendValues {
    const entry = this.data.get(dataId);
    if (entry.complex) {
      const [real, imag] = [entry.complex.real, entry.complex.imag].map((info) => this.readSync(info.dataId) as Float32Array);
      return backend_util.mergeRealAndImagArrays(real ?? new Float32Array(), imag ?? new Float32Array());
    }
    if (!entry.values) this.flush();
    if (!entry.values) throw new Error("nothing computes this tensor");
    entry.isOurs = false; // the caller may keep the array for longer than the tensor
    return entry.values;
  }

  /** As readSync, and then lets the event loop turn once: loops that await only this stay cancellable. */
  override async read(dataId: object): Promise<backend_util.BackendValues> {
    const values = this.readSync(dataId);
    await new Promise((resolve) => setImmediate(resolve));
    return values;
  }

  override refCount(dataId: object): number {
    return this.data.has(dataId) ? this.data.get(dataId).refs : 0;
  }

  override incRef(dataId: object): void {
    this.data.get(dataId).refs++;
  }

  decRef(dataId: object): void {
    if (this.data.has(dataId)) this.data.get(dataId).refs--;
  }

  override disposeData(dataId: object, force = false): boolean {
    if (!this.data.has(dataId)) return true;
    const entry = this.data.get(dataId);
    entry.refs--;
    if (!force && entry.refs > 0) return false;
    entry.refs = 0;
    if (entry.complex) for (const part of Object.values(entry.complex)) this.disposeData(part.dataId, true);
    if (entry.constant !== undefined) this.sessions.releaseConstant(entry.constant);
    this.data.delete(dataId);
    this.buffers.retire(entry);
    if (this.pending.length === 0) this.buffers.recycle();
    return true;
  }

  override numDataIds(): number {
    return this.data.numDataIds();
  }

  override async time(f: () => void): Promise<{ kernelMs: number }> {
    this.flush();
    const start = performance.now();
    f();
    this.flush();
    return { kernelMs: performance.now() - start };
  }

  override timerAvailable(): boolean {
    return true;
  }

  override memory = (): { unreliable: boolean; reasons?: string[] } => ({ unreliable: false });
  override floatPrecision = (): 16 | 32 => 32;
  override epsilon = (): number => 1e-7;

  override dispose(): void {
    this.clearPending();
    this.sessions.clear();
  }
}
