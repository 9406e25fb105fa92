// node bench/dataset.mjs: peak memory, and the longest time that nothing else could run, of one attack on many photographs of 299×299×3 with a
// small network. IMAGES (1,000), SIDE (299) and STEPS (2) change it. It takes 3 GB of disk for 1,000 images.
import { spawnSync } from "node:child_process";
import { bundle } from "./bundle.mjs";

process.exitCode = spawnSync(process.execPath, [await bundle("dataset")], { stdio: "inherit" }).status ?? 1;
