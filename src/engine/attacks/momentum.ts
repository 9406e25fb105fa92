import { type Images, tf } from "../tf.ts";
import { unit } from "./ball.ts";

/** What an attack follows in place of its gradients [b,H,W,C]: a memory of those before. */
export interface Momentum {
  /** The direction after one more gradient; call in a tidy. */
  along(gradient: Images): Images;
  /** The same for some of the images alone, with what it remembers of them. */
  only(rows: tf.Tensor1D): Momentum;
  dispose(): void;
}

/** g ← μ·g + ∇/‖∇‖₁, image by image (MI-FGSM: Dong et al. 2018, eq. 6). μ = 0 is the gradient itself, untouched. */
export function momentum(decay: number): Momentum {
  return decay === 0 ? none : remembering(decay);
}

const none: Momentum = { along: (gradient) => gradient, only: () => none, dispose: () => {} };

function remembering(decay: number, memory?: Images): Momentum {
  return {
    along(gradient) {
      const now = unit(gradient, "l1");
      const next = tf.keep(memory ? (tf.add(tf.mul(memory, decay), now) as Images) : now);
      memory?.dispose();
      memory = next;
      return next;
    },
    only: (rows) => remembering(decay, memory && tf.gather(memory, rows)),
    dispose: () => memory?.dispose(),
  };
}
