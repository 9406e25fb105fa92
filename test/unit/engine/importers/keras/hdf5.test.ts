import { promises as fs } from "node:fs";
import path from "node:path";
import { describe, expect, it } from "vitest";
import { Hdf5File } from "../../../../../src/engine/importers/keras/hdf5/file.ts";
import { type Contents, hdf5Bytes } from "./contents.ts";
import { kerasFiles } from "./files.ts";

const files = kerasFiles();

/** What a reader does with a file: its tree, and all of its numbers. */
async function allOf(file: string): Promise<Record<string, number[]>> {
  const handle = await fs.open(file);
  try {
    const store = await Hdf5File.open({ name: path.basename(file), fd: handle.fd, offset: 0, size: (await handle.stat()).size });
    try {
      const found: Record<string, number[]> = {};
      for (const dataset of store.tree.datasets) found[dataset.path] = [...(await store.read(dataset))];
      return found;
    } finally {
      await store.close();
    }
  } finally {
    await handle.close();
  }
}
const refused = (file: string, code: string, message: RegExp) =>
  expect(allOf(file)).rejects.toMatchObject({ code, message: expect.stringMatching(message), fix: expect.any(String) });
const beside = (name: string): string => path.join(import.meta.dirname, "hostile", name);

describe("an HDF5 file", () => {
  it("gives its numbers, slice by slice, and scalars", async () => {
    const large = Float32Array.from({ length: 5_000_000 }, (_, i) => i % 4096); // 20 MB: two slices
    const { "/big": big, ...others } = await allOf(
      await files.writeHdf5({
        datasets: { "/big": { shape: [5000, 1000], values: large }, "/a/b": { shape: [2, 2], values: [1, 2, 3, 4] } },
        also: (file) => {
          file.create_dataset({ name: "double", data: [0.5, 0.25], dtype: "<d" });
          file.create_dataset({ name: "one", data: 7, shape: [], dtype: "<f4" });
        },
      }),
    );
    expect(others).toEqual({ "/a/b": [1, 2, 3, 4], "/double": [0.5, 0.25], "/one": [7] });
    expect(big?.every((value, i) => value === i % 4096)).toBe(true);
  });

  it("is read within the range that is given", async () => {
    const bytes = await hdf5Bytes({ datasets: { "/x": { shape: [2], values: [3, 4] } } });
    const file = await files.write("within.bin", Buffer.concat([Buffer.alloc(1000, 1), bytes, Buffer.alloc(1000, 1)]));
    const handle = await fs.open(file);
    const store = await Hdf5File.open({ name: "within.bin", fd: handle.fd, offset: 1000, size: bytes.length });
    expect([...(await store.read(store.tree.datasets[0] as (typeof store.tree.datasets)[number]))]).toEqual([3, 4]);
    await store.close();
    await handle.close();
  });
});

describe("an HDF5 file that reaches for others", () => {
  /** A file beside the model that would be read: its numbers must not come back, nor an answer that depends on them. */
  const withForeign = async (name: string, bytes: Uint8Array): Promise<string> => {
    const file = await files.write(name, bytes);
    const numbers = Float32Array.from({ length: 12 }, (_, i) => i);
    await fs.writeFile(path.join(path.dirname(file), "secret.bin"), new Uint8Array(numbers.buffer));
    const foreign = await hdf5Bytes({ datasets: { "/secret": { shape: [12], values: numbers } } });
    await fs.writeFile(path.join(path.dirname(file), "foreign.h5"), foreign);
    return file;
  };

  it("by external storage", async () => {
    const file = await withForeign("model.h5", await fs.readFile(beside("externalStorage.h5")));
    await refused(file, "MODEL_INVALID", /^model\.h5 is damaged\.$/);
  });

  it("by a virtual data set", async () => {
    const file = await withForeign("model.h5", await fs.readFile(beside("virtual.h5")));
    await refused(file, "MODEL_UNSAFE", /holds a virtual data set, which is kept in other files\.$/);
  });

  it.each(["foreign.h5", "/etc/passwd", "../../x.h5"])("by an external link to %s", async (target) => {
    const bytes = await hdf5Bytes({ also: (file) => file.create_external_link(target, "/secret", "kernel") });
    await refused(await withForeign("model.h5", bytes), "MODEL_UNSAFE", /holds links to other places\.$/);
  });
});

describe("an HDF5 file that is refused", () => {
  it.each<[string, Contents]>([
    ["to something", { datasets: { "/a": { shape: [1], values: [1] } }, also: (file) => file.create_soft_link("/a", "b") }],
    ["to a group", { datasets: { "/g/a": { shape: [1], values: [1] } }, also: (file) => file.create_soft_link("/g", "h") }],
    ["to nothing", { also: (file) => file.create_soft_link("/nothing", "b") }],
    ["to itself", { also: (file) => file.create_soft_link("/b", "b") }],
  ])("has a soft link %s", async (_, contents) =>
    refused(await files.writeHdf5(contents), "MODEL_UNSAFE", /holds links to other places\.$/),
  );

  it("contains itself", async () => {
    const circle = await files.writeHdf5({
      datasets: { "/g/a": { shape: [1], values: [1] } },
      also: (file) => {
        file.create_hard_link("/g", "g/again");
      },
    });
    await refused(circle, "MODEL_INVALID", /nests more than 16 groups\.$/);
  });

  it("says that it holds more numbers than its bytes can", () =>
    refused(beside("huge.h5"), "MODEL_UNSAFE", /says that "model_weights\/dense\/dense\/kernel:0" holds 1099511627776 numbers/));

  it("is read for ever: a small model, damaged at random", async () => {
    const start = process.cpuUsage();
    await refused(beside("endless.h5"), "MODEL_INVALID", /takes longer to read than any model does\.$/);
    expect(process.cpuUsage(start).user / 1e6).toBeLessThan(5);
  }, 120_000); // up to 48 s on the clock while other programs compute

  it("holds numbers of another kind", async () => {
    await refused(beside("half.h5"), "MODEL_UNSUPPORTED", /keeps ".*kernel:0" as float16, which is not read\.$/);
    await refused(beside("bigEndian.h5"), "MODEL_UNSUPPORTED", /keeps ".*kernel:0" as big-endian float32/);
    const text = await files.writeHdf5({ also: (file) => file.create_dataset({ name: "x", data: ["a", "b"] }) });
    await refused(text, "MODEL_UNSUPPORTED", /keeps "x" as other/);
  });

  it("is cut off, at any of eight places", async () => {
    const whole = await hdf5Bytes({ datasets: { "/g/a": { shape: [400], values: new Float32Array(400) } } });
    for (let i = 1; i < 9; i++)
      await refused(
        await files.write("cut.h5", whole.subarray(0, Math.floor((whole.length * i) / 9))),
        "MODEL_INVALID",
        /^cut\.h5 is (cut off or )?damaged\.$/,
      );
  });
});
