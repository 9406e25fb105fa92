/** One chunk of a PNG with its length, name and checksum, as it stands in the file. */
function chunksOf(png: Uint8Array): { readonly name: string; readonly bytes: Uint8Array }[] {
  const view = Buffer.from(png.buffer, png.byteOffset, png.byteLength);
  const chunks: { name: string; bytes: Uint8Array }[] = [];
  for (let at = 8; at + 12 <= view.length; ) {
    const end = at + 12 + view.readUInt32BE(at);
    chunks.push({ name: view.toString("latin1", at + 4, at + 8), bytes: view.subarray(at, end) });
    at = end;
  }
  return chunks;
}

/** A PNG with the text of another one, right behind its header: a picture of the panel says what the picture on it says. */
export function withTextOf(png: Uint8Array, source: Uint8Array): Uint8Array {
  const [header, ...rest] = chunksOf(png);
  if (!header) return png;
  const text = chunksOf(source).filter(({ name }) => name === "iTXt");
  return Buffer.concat([png.subarray(0, 8), header.bytes, ...text.map(({ bytes }) => bytes), ...rest.map(({ bytes }) => bytes)]);
}
