// `node scripts/icon.mjs`: draws media/icons/marketplace.png, 128 × 128, from the shield of the side bar.
import { readFileSync } from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import sharp from "sharp";

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..");
const icon = (name) => path.join(root, "media/icons", name);
const size = 128;
const shield = readFileSync(icon("bulwark.svg"), "utf8").replace("#C5C5C5", "#FFFFFF");
const ground = `<svg xmlns="http://www.w3.org/2000/svg" width="${size}" height="${size}"><rect width="${size}" height="${size}" rx="22" fill="#1B4B72"/></svg>`;
// 24 units of the drawing become 96 pixels.
const drawn = await sharp(Buffer.from(shield), { density: 72 * 4 })
  .resize(96, 96)
  .png()
  .toBuffer();
await sharp(Buffer.from(ground))
  .composite([{ input: drawn }])
  .png({ compressionLevel: 9, palette: true })
  .toFile(icon("marketplace.png"));
