#!/usr/bin/env node
// Stands in for desktop VS Code's executable: takes the command line that @vscode/test-electron writes and runs it in the server build.
import path from "node:path";
import { runInExtensionHost } from "../harness/hostTests.mjs";

const words = process.argv.slice(2);
const values = (name) => words.filter((word) => word.startsWith(`--${name}=`)).map((word) => path.resolve(word.slice(name.length + 3)));
const folder = words.find((word) => !word.startsWith("-"));
const [tests] = values("extensionTestsPath");
const [extensionsDirectory] = values("extensions-dir");
const handedOn = Object.fromEntries(Object.entries(process.env).filter(([name]) => name.startsWith("BULWARK_TEST_")));

process.exit(
  await runInExtensionHost({
    ...(folder ? { folder: path.resolve(folder) } : {}),
    extension: values("extensionDevelopmentPath"),
    tests: /\.[cm]?js$/.test(tests) ? tests : `${tests}.js`,
    ...(extensionsDirectory ? { extensionsDirectory } : {}),
    environment: handedOn,
    logFile: process.env.BULWARK_TEST_SERVER_LOG,
    screenshot: process.env.BULWARK_TEST_SCREENSHOT,
  }),
);
