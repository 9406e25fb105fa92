import { Type } from "@sinclair/typebox";
import { choice, file, int, num } from "../../define/index.ts";
import { anyClassWords } from "../target.ts";

export const params = Type.Object({
  area: num(0.1, "Share of the image that the patch covers at scale 1; 0 for none.", { min: 0, max: 1, unit: "of the image" }),
  shape: choice(["square", "disc"], "square", "Shape of a trained patch."),
  target: int(-1, "Target class; −1 for any class but the label.", { min: -1, standIn: anyClassWords }),
  mode: choice(
    ["transfer", "whitebox"],
    "transfer",
    "In an experiment: trained once on the undefended arm, or on every arm itself, through its defence.",
  ),
  steps: int(500, "Steps of Adam.", { min: 1, max: 100_000 }),
  batchSize: int(16, "Images to a step, each with a place of its own.", { min: 1, max: 1024, unit: "images" }),
  learningRate: num(0.05, "Step size of Adam, in units of [0,1] pixels.", { min: 0, max: 1 }),
  rotation: num(22.5, "The patch is turned by at most this angle either way.", { min: 0, max: 180, unit: "degrees" }),
  scaleMin: num(1, "It is scaled by at least this.", { min: 0.05, max: 1 }),
  scaleMax: num(1, "It is scaled by at most this.", { min: 1, max: 4 }),
  patch: file("A patch to paste instead of training one: a patch.png or patch.json, or any picture as a sticker."),
});
