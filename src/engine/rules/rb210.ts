import type { Finding } from "../../shared/results.ts";

/** RB210: a patch that is meant for images never seen was trained on the very images that it is judged on. */
export const trainedOnJudged = (): Finding => ({
  rule: "RB210",
  severity: "warning",
  message: "Suspicious because the patch was trained on the images that it is judged on: on others it may do less.",
  fix: "Use a data set with training images, or judge the patch on other images with --set patch=FILE.",
});
