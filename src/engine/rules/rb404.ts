import type { DetectorEvidence } from "./evidence.ts";
import type { Rule } from "./rule.ts";
import { images } from "./words.ts";

/** A detector whose threshold could only be chosen on test images, or whose validation images are test images in part. */
export const rb404: Rule<DetectorEvidence> = {
  id: "RB404",
  check({ name, attacks, thresholdImages, sharedImages }) {
    if (attacks === 0) return null;
    if (sharedImages > 0)
      return {
        message: `${images(sharedImages)} to choose the threshold of ${name} on ${sharedImages === 1 ? "is a test image" : "are test images"} too, and ${sharedImages === 1 ? "was" : "were"} left out.`,
        fix: "Divide the data so that no image is in both splits: what was trained on it has seen test images as well.",
      };
    if (thresholdImages > 0) return null;
    return {
      severity: "warning",
      message: `${name} has no threshold: there are no correctly classified images to choose one on beside the test images.`,
      fix: 'Use data with a training split, and keep a share of it for "validation". The area under the curve needs no threshold.',
    };
  },
};
