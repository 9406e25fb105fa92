import type { Measure } from "../define/index.ts";
import { entropy } from "./entropy.ts";
import { jointEntropy } from "./jointEntropy.ts";
import { klDivergence } from "./klDivergence.ts";
import { maxNorm } from "./maxNorm.ts";
import { mse } from "./mse.ts";
import { mutualInformation } from "./mutualInformation.ts";
import { psnr } from "./psnr.ts";
import { ssim } from "./ssim.ts";

/** Every measure, alphabetical by id: the registry's list, and what volumizer and syllabus choose from. */
export const measures: readonly Measure[] = [entropy, jointEntropy, klDivergence, maxNorm, mse, mutualInformation, psnr, ssim];
