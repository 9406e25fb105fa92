import { defineVgg } from "./vgg.ts";

/** 138,357,544 parameters at 224×224×3 and 1000 classes. */
export const vgg16 = defineVgg("vgg16", "VGG16", [2, 2, 3, 3, 3]);
