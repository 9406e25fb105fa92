import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import path from "node:path";

export interface Registry {
  readonly url: string;
  /** Sets the install script of the one package it holds, and its main file. */
  publish(installScript: string, main?: string): void;
  /** A lock file for the package as it was published last, or with the checksum of another one. */
  lock(version?: string, integrity?: string): string;
  close(): Promise<void>;
}

const integrityOf = (bytes: Buffer): string => `sha512-${createHash("sha512").update(bytes).digest("base64")}`;

/** A package registry on this machine with one package, packed by npm itself. */
export async function openRegistry(folder: string, name: string, version: string): Promise<Registry> {
  const home = path.join(folder, "package");
  mkdirSync(home, { recursive: true });
  let tarball: Buffer = Buffer.alloc(0);
  let url = "";
  const server = createServer((request, response) => {
    if (request.url?.endsWith(".tgz")) return void response.end(tarball);
    if (decodeURIComponent(request.url ?? "") !== `/${name}`) return void response.writeHead(404).end("{}");
    const manifest = { ...packageJson, dist: { tarball: `${url}/it.tgz`, integrity: integrityOf(tarball) } };
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ name, "dist-tags": { latest: version }, versions: { [version]: manifest } }));
  });
  const packageJson = { name, version, main: "index.js", hasInstallScript: true, scripts: { install: "node install.cjs" } };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    publish(installScript, main = "") {
      writeFileSync(path.join(home, "package.json"), JSON.stringify(packageJson));
      writeFileSync(path.join(home, "install.cjs"), installScript);
      writeFileSync(path.join(home, "index.js"), main);
      const out = execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--loglevel=error"], { cwd: home, encoding: "utf8" });
      const file = /"filename":\s*"([^"]+)"/.exec(out)?.[1] ?? "";
      tarball = readFileSync(path.join(home, file.replace("@", "").replace("/", "-")));
    },
    lock: (locked = version, integrity = integrityOf(tarball)) =>
      JSON.stringify({
        lockfileVersion: 3,
        requires: true,
        packages: {
          "": { dependencies: { [name]: locked } },
          [`node_modules/${name}`]: { version: locked, integrity, hasInstallScript: true },
        },
      }),
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}
