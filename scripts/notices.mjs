// Licences of everything that is shipped, from the lock file and the packages' own licence files.
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import path from "node:path";

const licenceFile = /^(licen[cs]e|copying|notice)/i;

/** Bundled although a development dependency by its place in package.json: the icon font. */
const alsoShipped = "node_modules/@vscode/codicons";

/** Writes one section per package that is not for development only. */
export function writeNotices(lockFile, file) {
  const root = path.dirname(lockFile);
  const { packages } = JSON.parse(readFileSync(lockFile, "utf8"));
  const sections = ["Bulwark contains these packages, each under its own licence."];
  for (const [folder, { version, license, dev, devOptional, peer }] of Object.entries(packages)) {
    const directory = path.join(root, folder);
    if (!folder.startsWith("node_modules/") || !existsSync(directory)) continue;
    if ((dev || devOptional || peer) && folder !== alsoShipped) continue;
    const texts = readdirSync(directory).filter((name) => licenceFile.test(name));
    const name = folder.slice(folder.lastIndexOf("node_modules/") + "node_modules/".length);
    const text = texts.flatMap((entry) => (existsSync(path.join(directory, entry)) ? [readText(path.join(directory, entry))] : []));
    sections.push([`${"=".repeat(80)}\n${name} ${version} (${license ?? "see below"})`, ...text].join("\n\n"));
  }
  writeFileSync(file, `${sections.join("\n\n")}\n`);
}

function readText(file) {
  try {
    return readFileSync(file, "utf8").trim();
  } catch {
    return ""; // a folder named like a licence
  }
}
