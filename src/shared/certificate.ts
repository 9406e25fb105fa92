import { plural } from "./format.ts";
import type { ArmReport } from "./results.ts";

/**
 * What is proven of an arm, against any content and so against any attack that stays within some slices; or why nothing is. `correct`
 * counts test images that are classified correctly and whose class cannot be changed.
 */
export type ArmCertificate =
  /** Why there is none, in words. */
  | { readonly unavailable: string }
  | {
      readonly n: number;
      /** By the number of slices with free content, in any choice of them; null where the arm has fewer. */
      readonly slices: readonly { readonly slices: number; readonly correct: number | null }[];
      /** By the side in pixels of a square patch that may lie anywhere; and how many slices it touches at most. */
      readonly patches: readonly { readonly side: number; readonly touches: number; readonly correct: number }[];
      /** Of every test image, the largest number of slices whose content cannot change its prediction, right or wrong. */
      readonly images: readonly number[];
    };

/** The certified figure that heads a report: the first number of slices that was asked for. */
export interface CertifiedColumn {
  readonly head: string;
  readonly meaning: string;
  /** Right and certified images of an arm, of so many; null for an arm without a certificate. */
  of(arm: ArmReport): { readonly correct: number; readonly n: number } | null;
}

/** Null where nothing is proven of any arm. */
export function certifiedColumn(arms: readonly ArmReport[]): CertifiedColumn | null {
  const proven = arms.flatMap(({ certificate }) => (certificate && "images" in certificate ? [certificate] : []));
  const K = proven[0]?.slices[0]?.slices;
  if (K === undefined) return null;
  const head = `Certified, ${plural(K, "slice")}`;
  return {
    head,
    meaning: `${head}: share of all test images that are classified correctly and whose class no content of any ${K === 1 ? "one slice" : plural(K, "slice")} can change; a proof, which holds against every attack that stays within ${K === 1 ? "one slice" : "them"}.`,
    of({ certificate }) {
      if (!certificate || !("images" in certificate)) return null;
      const correct = certificate.slices.find(({ slices }) => slices === K)?.correct ?? null;
      return correct === null ? null : { correct, n: certificate.n };
    },
  };
}

/** By image, the number of slices whose content cannot change the prediction; null for an arm without a certificate. */
export const certifiedSlices = ({ certificate }: ArmReport): readonly number[] | null =>
  certificate && "images" in certificate ? certificate.images : null;

/** Why nothing is proven of an arm; null where something is, or nobody asked. */
export const uncertified = ({ certificate }: ArmReport): string | null =>
  certificate && "unavailable" in certificate ? `no certificate: ${certificate.unavailable}` : null;
