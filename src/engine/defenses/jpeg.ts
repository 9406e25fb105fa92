import { Type } from "@sinclair/typebox";
import { choice, defineInferenceDefense, int } from "../define/index.ts";
import { filtered } from "../filters/host.ts";
import { jpegCompressed } from "../filters/jpeg/index.ts";

/** What JPEG compression leaves of the image; the same pixels as Pillow's, to the bit. */
export const jpeg = defineInferenceDefense({
  id: "jpeg",
  title: "JPEG compression",
  paper: "Dziugaite et al. 2016",
  params: Type.Object({
    quality: int(75, "Quality of the compression; the lower, the more is lost.", { min: 1, max: 100 }),
    subsampling: choice(["4:2:0", "4:4:4"], "4:2:0", "Colours at half the resolution, as most files have them, or at the full one."),
  }),
  label: ({ quality, subsampling }) => `JPEG ${quality}${subsampling === "4:4:4" ? ", 4:4:4" : ""}`,
  cheap: { quality: 30 },
  backward: () => "bpda",
  transform: (x, settings) => filtered(x, jpegCompressed(settings)),
});
