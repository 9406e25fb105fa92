import { Type } from "@sinclair/typebox";
import { defineMeasure } from "../define/index.ts";
import { requireReference } from "./reference.ts";

const c1 = (0.01 * 255) ** 2;
const c2 = (0.03 * 255) ** 2;

/** Structural similarity over the whole slice as one window, with population variances: [−1, 1]. */
export const ssim = defineMeasure({
  id: "ssim",
  title: "Structural similarity",
  paper: "Ghebrechristos & Alaghband 2024, Table 1; Wang et al. 2004",
  kind: "similarity",
  params: Type.Object({}),
  measure: (a, b) => {
    const reference = requireReference("ssim", a, b);
    const n = a.length;
    // Whole-number sums are exact in float64, so the order of the pixels cannot change the result.
    let sumA = 0;
    let sumB = 0;
    let sumAA = 0;
    let sumBB = 0;
    let sumAB = 0;
    for (let i = 0; i < n; i++) {
      const x = a[i] as number;
      const y = reference[i] as number;
      sumA += x;
      sumB += y;
      sumAA += x * x;
      sumBB += y * y;
      sumAB += x * y;
    }
    const meanA = sumA / n;
    const meanB = sumB / n;
    const varA = (sumAA * n - sumA * sumA) / (n * n);
    const varB = (sumBB * n - sumB * sumB) / (n * n);
    const covariance = (sumAB * n - sumA * sumB) / (n * n);
    return ((2 * meanA * meanB + c1) * (2 * covariance + c2)) / ((meanA * meanA + meanB * meanB + c1) * (varA + varB + c2));
  },
});
