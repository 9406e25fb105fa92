import { bundleFile, root } from "../scripts/bundle-file.mjs";

export { root };

/** Bundles bench/<name>.ts and gives the file to run. */
export const bundle = (name) => bundleFile(`bench/${name}.ts`, `dist/bench-${name.replaceAll("/", "-")}.cjs`);
