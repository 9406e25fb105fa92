import { defineVgg } from "./vgg.ts";

/** 143,667,240 parameters at 224×224×3 and 1000 classes. */
export const vgg19 = defineVgg("vgg19", "VGG19", [2, 2, 4, 4, 4]);
