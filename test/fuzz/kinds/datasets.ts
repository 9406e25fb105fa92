import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import path from "node:path";
import { gzipSync } from "node:zlib";
import { createContext } from "../../../src/engine/context.ts";
import { type Params, resolveParams } from "../../../src/engine/define/index.ts";
import { writeNpz } from "../../../src/engine/io/npz.ts";
import type { Random } from "../../../src/engine/random.ts";
import { find } from "../../../src/engine/registry.ts";
import { element, header, idx, int32, matrix } from "../../unit/engine/datasets/files.ts";
import { damagedArchive, damagedBytes, oneOf } from "../damage.ts";
import type { Kind } from "../kind.ts";
import { pictures } from "../originals.ts";

/** Opens a data set and reads the first and the last image of each split. */
async function openDataset(kind: string, params: Params): Promise<void> {
  const spec = find("dataset", kind);
  const data = await spec.load(resolveParams(spec.params, params, kind), createContext());
  try {
    for (const split of ["train", "test"] as const) {
      const last = data.size(split) - 1;
      if (last < 0) continue;
      await data.read(split, Int32Array.of(0, last));
      data.boxes(split, last);
    }
  } finally {
    await data.close();
  }
}

export const arrays: Kind = {
  name: "arrays",
  async prepare(originals) {
    const whole = path.join(originals, "whole.npz");
    await writeNpz(whole, {
      images: { data: Uint8Array.from({ length: 6 * 8 * 8 * 3 }, (_, i) => i % 256), shape: [6, 8, 8, 3] },
      labels: { data: Int32Array.of(0, 1, 2, 0, 1, 2), shape: [6] },
    });
    return {
      async write(folder, random) {
        const file = path.join(folder, "data.npz");
        if (random.integer(2) === 0) await damagedArchive(whole, file, random);
        else writeFileSync(file, damagedBytes(readFileSync(whole), random));
      },
      open: (folder) => openDataset("arrays", { path: path.join(folder, "data.npz"), testShare: 0.5 }),
    };
  },
};

const cifar = (labels: readonly number[]): Uint8Array =>
  Uint8Array.from(labels.flatMap((label) => [label, ...new Array<number>(3072).fill(label)]));
const mat = (): Uint8Array => {
  const pixels = new Array<number>(32 * 32 * 3 * 2).fill(7);
  return Uint8Array.from([...header, ...matrix("X", [32, 32, 3, 2], 2, pixels), ...matrix("y", [2, 1], 2, [1, 10])]);
};
/** Element without a matrix: what a hostile file may begin with. */
const strayElement = (): Uint8Array => Uint8Array.from([...header, ...element(14, int32(6, 1 << 30))]);

/** The fixed formats of published data sets: IDX, CIFAR's records, MATLAB files. */
export const records: Kind = {
  name: "records",
  async prepare() {
    const whole: Readonly<Record<string, Uint8Array>> = {
      "t10k-images-idx3-ubyte": idx([3, 6, 6], new Array<number>(108).fill(9)),
      "t10k-labels-idx1-ubyte": idx([3], [0, 1, 9]),
      "test_batch.bin": cifar([0, 9]),
      "test_32x32.mat": mat(),
    };
    const groups = [["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"], ["test_batch.bin"], ["test_32x32.mat"]];
    return {
      write(folder, random) {
        const group = oneOf(random, groups);
        const hurt = oneOf(random, group);
        for (const name of group) {
          const bytes = whole[name] as Uint8Array;
          const damaged =
            name !== hurt ? bytes : name.endsWith(".mat") && random.integer(8) === 0 ? strayElement() : damagedBytes(bytes, random);
          const isZipped = !name.endsWith(".mat") && random.integer(3) === 0;
          if (isZipped) writeFileSync(path.join(folder, `${name}.gz`), damagedNowAndThen(gzipSync(damaged), random));
          else writeFileSync(path.join(folder, name), damaged);
        }
      },
      open(folder) {
        const names = readdirSync(folder).join(" ");
        const kind = names.includes("idx") ? "mnist" : names.includes(".mat") ? "svhn" : "cifar10";
        return openDataset(kind, { path: folder });
      },
    };
  },
};

const damagedNowAndThen = (bytes: Uint8Array, random: Random): Uint8Array =>
  random.integer(2) === 0 ? damagedBytes(bytes, random) : bytes;

const labelFile = 'file,label,split\na/0.png,a,train\na/1.png,a,test\n"b/0.png",b\nb/1.png,b,test\n';
const boxes =
  "<annotation><size><width>28</width><height>28</height></size><object><name>x</name><bndbox><xmin>1</xmin><ymin>2</ymin><xmax>9</xmax><ymax>9</ymax></bndbox></object></annotation>";
const elsewhere = ["../../../etc/passwd", "/etc/passwd", "a/\u00001.png"];
const entities = '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY y "&x;&x;&x;&x;">]><annotation>&y;';

/** A folder of pictures with labels, class lists and boxes; some damaged, some leading elsewhere. */
export const labels: Kind = {
  name: "labels",
  namesPaths: true,
  async prepare() {
    const { png = new Uint8Array() } = await pictures();
    return {
      write(folder, random) {
        const put = (name: string, content: string | Uint8Array): void => {
          mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
          writeFileSync(path.join(folder, name), content);
        };
        const one = (count: number): boolean => random.integer(count) === 0;
        for (const name of ["a/0.png", "a/1.png", "b/0.png", "b/1.png"]) put(name, one(6) ? damagedBytes(png, random) : png);
        const listed = one(2) ? labelFile : labelFile.replace("a/1.png", oneOf(random, elsewhere));
        if (one(2)) put("labels.csv", one(3) ? listed : damagedBytes(Buffer.from(listed), random));
        if (one(4)) put("classes.txt", oneOf(random, ["a\nb\n", "", "b\n", "__proto__\nconstructor\n", "a\na\n", "\u0000"]));
        if (one(3)) put("Annotations/a/0.xml", one(2) ? damagedBytes(Buffer.from(boxes), random) : boxes.replace("<annotation>", entities));
        if (one(6)) symlinkSync(folder, path.join(folder, "a/again"));
      },
      open: (folder) => openDataset("imageFolder", { path: folder, size: 8 }),
    };
  },
};
