/** The format of an image file as its bytes tell it, whatever the file is called. */
export interface ImageFormat {
  /** As people call it: "PNG", "HEIC". */
  readonly name: string;
  /** Whether `decodeImage` can read it. */
  readonly readable: boolean;
}

/** Bytes from the start of a file that `imageFormat` has to see. */
export const headBytes = 32;

const text = (bytes: Uint8Array, from: number, to: number): string => String.fromCharCode(...bytes.subarray(from, to));
const startsWith = (bytes: Uint8Array, ...expected: readonly number[]): boolean => expected.every((byte, i) => bytes[i] === byte);

const readable: readonly (readonly [name: string, is: (head: Uint8Array) => boolean])[] = [
  ["PNG", (head) => startsWith(head, 0x89, 0x50, 0x4e, 0x47)],
  ["JPEG", (head) => startsWith(head, 0xff, 0xd8, 0xff)],
  ["WebP", (head) => text(head, 0, 4) === "RIFF" && text(head, 8, 12) === "WEBP"],
  ["GIF", (head) => text(head, 0, 4) === "GIF8"],
  ["TIFF", (head) => startsWith(head, 0x49, 0x49, 0x2a, 0) || startsWith(head, 0x4d, 0x4d, 0, 0x2a)],
  ["BMP", (head) => text(head, 0, 2) === "BM" && startsWith(head.subarray(15), 0, 0, 0)], // the header's size is below 256
  ["AVIF", (head) => text(head, 4, 8) === "ftyp" && /avi[fs]/.test(text(head, 8, headBytes))],
];
const unreadable: typeof readable = [
  ["HEIC", (head) => text(head, 4, 8) === "ftyp" && /^(hei|hev|mif1|msf1)/.test(text(head, 8, 12))],
  ["PPM", (head) => /^P[1-7]\s/.test(text(head, 0, 3))],
  ["Photoshop", (head) => text(head, 0, 4) === "8BPS"],
  ["ICO", (head) => startsWith(head, 0, 0, 1, 0) && (head[4] ?? 0) > 0 && head[5] === 0 && head[9] === 0],
  ["JPEG 2000", (head) => text(head, 4, 8) === "jP  " || startsWith(head, 0xff, 0x4f, 0xff, 0x51)],
  ["JPEG XL", (head) => text(head, 4, 8) === "JXL " || startsWith(head, 0xff, 0x0a)],
  ["OpenEXR", (head) => startsWith(head, 0x76, 0x2f, 0x31, 0x01)],
  ["DDS", (head) => text(head, 0, 4) === "DDS "],
  ["SGI", (head) => startsWith(head, 0x01, 0xda) && (head[2] ?? 2) < 2],
  ["PCX", (head) => head[0] === 0x0a && (head[1] ?? 9) <= 5 && head[2] === 1 && [1, 2, 4, 8].includes(head[3] ?? 0)],
  ["PDF", (head) => text(head, 0, 4) === "%PDF"],
  ["SVG", (head) => /^\s*<(\?xml|svg|!doctype svg)/i.test(text(head, 0, headBytes))],
];

/** The format of a file that begins with these bytes (`headBytes` of them, or the whole file); null for what is no image. */
export function imageFormat(head: Uint8Array): ImageFormat | null {
  for (const [formats, isReadable] of [[readable, true] as const, [unreadable, false] as const]) {
    const found = formats.find(([, is]) => is(head));
    if (found) return { name: found[0], readable: isReadable };
  }
  return null;
}

/** A Targa file of version 2 has its signature at the end. */
export const isTarga = (bytes: Uint8Array): boolean => text(bytes, bytes.length - 18, bytes.length - 2) === "TRUEVISION-XFILE";
