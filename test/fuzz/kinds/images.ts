import { readdirSync, writeFileSync } from "node:fs";
import path from "node:path";
import { readImage } from "../../../src/engine/io/images.ts";
import { loadPatch } from "../../../src/engine/patches/load.ts";
import { damagedBytes, oneOf } from "../damage.ts";
import type { Kind } from "../kind.ts";
import { pictures } from "../originals.ts";

export const images: Kind = {
  name: "images",
  async prepare() {
    const whole = await pictures();
    const names = Object.keys(whole);
    return {
      write(folder, random) {
        const name = oneOf(random, names);
        const bytes = damagedBytes(whole[name] as Uint8Array, random);
        // Now and then one format's beginning before another format's bytes.
        const other = whole[oneOf(random, names)] as Uint8Array;
        const mixed = random.integer(16) === 0 ? Uint8Array.from([...bytes.subarray(0, random.integer(64)), ...other]) : bytes;
        writeFileSync(path.join(folder, `${oneOf(random, ["fitted", "asItIs", "gray", "patch"])}.${name}`), mixed);
      },
      async open(folder) {
        const [name = ""] = readdirSync(folder);
        const file = path.join(folder, name);
        if (name.startsWith("patch")) await loadPatch(file, [28, 28, 3], { area: 0.1, target: null });
        else if (name.startsWith("fitted")) await readImage(file, { size: [16, 16], channels: 3, resize: "cover" });
        else await readImage(file, { channels: name.startsWith("gray") ? 1 : 3, resize: "none" });
      },
    };
  },
};
