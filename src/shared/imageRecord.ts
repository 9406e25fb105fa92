/** What happened to one image. Norms are of adversarial − clean, in units of [0,1] pixels; l0 counts changed pixels. */
export interface ImageRecord {
  readonly index: number;
  /** Identity of the image, in the document of a single attack; `dataset.json` of an experiment has those of all. */
  readonly id?: string;
  readonly label: number;
  readonly cleanPrediction: number;
  readonly prediction: number;
  /** Softmax probability of `prediction`; records of older versions have none. */
  readonly confidence?: number;
  readonly success: boolean;
  /** The image that a PNG of it holds is adversarial too. */
  readonly successAfter8Bit: boolean;
  /** Rounding would have undone the success: the image was moved to whole 8-bit levels nearby at which it is adversarial. */
  readonly repaired?: true;
  readonly linf: number;
  readonly l2: number;
  readonly l0: number;
  readonly iterations: number;
  /** Class that the attack aims at; only of a targeted attack. */
  readonly target?: number;
}
