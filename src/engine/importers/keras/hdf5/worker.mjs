// @ts-check
// Reads one HDF5 file with h5wasm in its own thread, as WebAssembly cannot be interrupted. The library sees a private file system with one
// file, which is read through an open descriptor: links, external storage and virtual data sets lead nowhere.

import fs from "node:fs";
import { parentPort, workerData } from "node:worker_threads";

/** @typedef {import("./file.ts").Tree} Tree */

/** The part of the library that is used; its own types are for browsers. */
/** @typedef {{ type: number, size: number, vlen: boolean, littleEndian: boolean, signed: boolean, total_size: number, shape: number[] | null, chunks: number[] | null, virtual_sources?: unknown[] }} Metadata */

const { fd, offset, size, limits } = /** @type {{ fd: number, offset: number, size: number, limits: import("./file.ts").Hdf5Limits }} */ (
  workerData
);

/** What is wrong with the file, and the kind of error to report. */
class Refused extends Error {
  /** @param {"invalid" | "unsafe" | "unsupported" | "large"} kind @param {string} what */
  constructor(kind, what) {
    super(what);
    this.kind = kind;
  }
}

// The library gets all its memory this way: an attribute or chunk that needs too much gets an error.
const grow = WebAssembly.Memory.prototype.grow;
WebAssembly.Memory.prototype.grow = function (/** @type {number} */ pages) {
  if (this.buffer.byteLength + 65_536 * pages > limits.memory) throw new RangeError("too much memory");
  return grow.call(this, pages);
};

const h5 = await import("h5wasm");
const library = /** @type {any} */ (await h5.ready);
library.activate_throwing_error_handler(); // without it, external storage returns heap contents and no error
const place = "/model.h5";
/** @type {import("h5wasm").File | undefined} */
let file;
const fileId = () => {
  file ??= opened();
  return file.file_id;
};

/** Opens the file in the private file system, backed by the descriptor. */
function opened() {
  const files = library.FS;
  files.writeFile(place, new Uint8Array(0));
  const { node } = files.lookupPath(place);
  const time = new Date(0);
  const about = { dev: 1, ino: node.id, nlink: 1, uid: 0, gid: 0, rdev: 0, atime: time, mtime: time, ctime: time };
  node.node_ops = { ...node.node_ops, getattr: () => ({ ...about, mode: node.mode, size, blksize: 4096, blocks: Math.ceil(size / 4096) }) };
  node.stream_ops = {
    ...node.stream_ops,
    /** @param {unknown} _ @param {Uint8Array} target @param {number} at @param {number} length @param {number} position */
    read: (_, target, at, length, position) =>
      position >= size ? 0 : fs.readSync(fd, target, at, Math.min(length, size - position), offset + position),
    write: () => {
      throw new files.ErrnoError(30); // read-only file system
    },
    /** @param {{ position: number }} stream @param {number} by @param {number} whence */
    llseek: (stream, by, whence) => by + (whence === 1 ? stream.position : whence === 2 ? size : 0),
  };
  try {
    return new h5.File(place, "r");
  } catch {
    throw new Refused("invalid", "is cut off or damaged");
  }
}

/** Attributes that describe the model; others are not read. */
const wanted = /^(model_config|keras_version|backend|(layer|weight)_names\d*)$/;
/** Top-level groups that only resumed training needs. */
const passedOver = /^(optimizer|optimizer_weights)$/;

/** @returns {Tree} */
function tree() {
  /** @type {Tree} */
  const found = { attributes: {}, datasets: [], groups: [] };
  const open = [{ path: "", depth: 0 }];
  for (let group = open.pop(), objects = 0; group; group = open.pop()) {
    found.groups.push(group.path);
    found.attributes[group.path] = attributesOf(group.path || "/");
    for (const name of library.get_names(fileId(), group.path || "/", false)) {
      if (group.path === "" && passedOver.test(name)) continue;
      if (++objects > limits.objects) throw new Refused("large", `holds more than ${limits.objects} objects`);
      const path = `${group.path}/${name}`;
      const type = typeOf(path);
      if (type === library.H5G_GROUP) {
        if (group.depth >= limits.depth) throw new Refused("invalid", `nests more than ${limits.depth} groups`);
        open.push({ path, depth: group.depth + 1 });
      } else if (type === library.H5G_DATASET) found.datasets.push(datasetAt(path));
    }
  }
  return found;
}

/** @param {string} path @returns {number} */
function typeOf(path) {
  const links = "holds links to other places";
  if (library.get_symbolic_link(fileId(), path) !== null) throw new Refused("unsafe", links);
  const type = library.get_type(fileId(), path);
  if (type === library.H5G_LINK || type === library.H5G_UDLINK) throw new Refused("unsafe", links);
  return type;
}

/** @param {string} path */
function attributesOf(path) {
  /** @type {Record<string, string | string[]>} */
  const found = {};
  for (const name of library.get_attribute_names(fileId(), path)) {
    if (!wanted.test(name)) continue;
    const attribute = new h5.Attribute(fileId(), path, name);
    const { type, size: length, total_size: count, vlen } = /** @type {Metadata} */ (attribute.metadata);
    if (count * (vlen ? 16 : length) > limits.attribute)
      throw new Refused("large", `has an attribute ${name} of more than ${limits.attribute} bytes`);
    if (type !== library.H5T_class_t.H5T_STRING.value) continue; // an empty list has a numeric type
    const value = attribute.value;
    found[name] = Array.isArray(value) ? value.map(String) : String(value);
  }
  return found;
}

/** @param {string} path @returns {import("./file.ts").StoredDataset} */
function datasetAt(path) {
  const {
    type,
    size: length,
    littleEndian,
    shape,
    chunks,
    virtual_sources,
  } = /** @type {Metadata} */ (library.get_dataset_metadata(fileId(), path));
  if (virtual_sources) throw new Refused("unsafe", "holds a virtual data set, which is kept in other files");
  const bytes = (/** @type {readonly number[]} */ sides) => sides.reduce((product, side) => product * side, length);
  const sides = shape ?? [0];
  const most = Math.min(size * limits.ratio, limits.dataset);
  if (!(bytes(sides) <= most) || !(bytes(chunks ?? []) <= limits.chunk))
    throw new Refused("unsafe", `says that "${path.slice(1)}" holds ${sides.join("×")} numbers, which ${size} bytes cannot`);
  const { H5T_FLOAT, H5T_INTEGER } = library.H5T_class_t;
  const kind = type === H5T_FLOAT.value ? "float" : type === H5T_INTEGER.value ? "int" : undefined;
  return { path, shape: [...sides], type: kind === undefined ? "other" : `${kind}${8 * length}`, isLittleEndian: littleEndian };
}

/** All numbers of a data set, in slices of its first axis. @param {import("./file.ts").StoredDataset} dataset */
function read({ path, shape, type, isLittleEndian }) {
  if (!/^(float32|float64)$/.test(type) || !isLittleEndian)
    throw new Refused("unsupported", `keeps "${path.slice(1)}" as ${isLittleEndian ? type : `big-endian ${type}`}, which is not read`);
  const count = shape.reduce((product, side) => product * side, 1);
  const result = new Float32Array(count);
  if (count === 0) return result;
  const dataset = new h5.Dataset(fileId(), path);
  const [rows, ...rest] = shape;
  if (rows === undefined) {
    result[0] = Number(dataset.value);
    return result;
  }
  const row = rest.reduce((product, side) => product * side, 1);
  const step = Math.max(1, Math.floor(limits.slice / (4 * row)));
  for (let from = 0; from < rows; from += step)
    result.set(
      /** @type {Float32Array} */ (dataset.slice([[from, Math.min(rows, from + step)], ...rest.map(() => /** @type {[]} */ ([]))])),
      from * row,
    );
  return result;
}

/** @param {unknown} error */
const told = (error) =>
  error instanceof Refused
    ? { kind: error.kind, what: error.message, detail: "" }
    : {
        kind: /** @type {const} */ ("invalid"),
        what: "is damaged",
        detail: error instanceof Error ? error.message.slice(0, 500) : String(error).slice(0, 500),
      };

parentPort?.on("message", (/** @type {import("./file.ts").Hdf5Request} */ request) => {
  try {
    if (request.op === "tree") parentPort?.postMessage({ value: tree() });
    else {
      const value = read(request.dataset);
      parentPort?.postMessage({ value }, [value.buffer]);
    }
  } catch (error) {
    parentPort?.postMessage({ error: told(error) });
  }
});
parentPort?.postMessage({ value: "ready" });
