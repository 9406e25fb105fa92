const utf8 = new TextEncoder();

/** Fields of at least this many bytes are kept by reference until `finish`, so that weights are copied only once. */
const referenced = 4096;

/**
 * Just enough of protocol buffers to write ONNX models: tagged fields, held as a list of byte pieces. Small fields are collected in a
 * growing piece; large ones are pieces of their own and must not change before `finish`.
 */
export class Writer {
  private readonly pieces: Uint8Array[] = [];
  /** The piece that collects small fields. */
  private open = new Uint8Array(64);
  private filled = 0;
  /** Bytes in `pieces`. */
  private closed = 0;

  private reserve(extra: number): void {
    if (this.filled + extra <= this.open.length) return;
    const grown = new Uint8Array(Math.max(2 * this.open.length, this.filled + extra));
    grown.set(this.open.subarray(0, this.filled));
    this.open = grown;
  }

  private varint(value: number | bigint): void {
    this.reserve(10);
    if (typeof value === "number" && value >= 0 && value < 0x80000000) {
      let rest = value;
      for (; rest > 127; rest >>>= 7) this.open[this.filled++] = (rest & 127) | 128;
      this.open[this.filled++] = rest;
      return;
    }
    let rest = BigInt.asUintN(64, BigInt(value));
    for (; rest > 127n; rest >>= 7n) this.open[this.filled++] = Number(rest & 127n) | 128;
    this.open[this.filled++] = Number(rest);
  }

  private append(bytes: Uint8Array): void {
    if (bytes.length < referenced) {
      this.reserve(bytes.length);
      this.open.set(bytes, this.filled);
      this.filled += bytes.length;
      return;
    }
    this.close();
    this.pieces.push(bytes);
    this.closed += bytes.length;
  }

  private close(): void {
    if (this.filled === 0) return;
    this.pieces.push(this.open.subarray(0, this.filled));
    this.closed += this.filled;
    this.open = new Uint8Array(64);
    this.filled = 0;
  }

  int(field: number, value: number | bigint): this {
    this.varint(field << 3);
    this.varint(value);
    return this;
  }

  float(field: number, value: number): this {
    this.varint((field << 3) | 5);
    this.reserve(4);
    new DataView(this.open.buffer).setFloat32(this.filled, value, true);
    this.filled += 4;
    return this;
  }

  data(field: number, value: Uint8Array): this {
    this.varint((field << 3) | 2);
    this.varint(value.length);
    this.append(value);
    return this;
  }

  text(field: number, value: string): this {
    return this.data(field, utf8.encode(value));
  }

  message(field: number, value: Writer): this {
    this.varint((field << 3) | 2);
    this.varint(value.closed + value.filled);
    for (const piece of value.pieces) this.append(piece);
    this.append(value.open.subarray(0, value.filled));
    return this;
  }

  /** Everything written so far, in one array of exactly its size. */
  finish(): Uint8Array {
    const bytes = new Uint8Array(this.closed + this.filled);
    let at = 0;
    for (const piece of [...this.pieces, this.open.subarray(0, this.filled)]) {
      bytes.set(piece, at);
      at += piece.length;
    }
    return bytes;
  }
}
