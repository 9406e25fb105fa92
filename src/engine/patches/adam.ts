/** State of Adam over the values of a patch, in main memory. */
export interface AdamState {
  readonly first: Float32Array;
  readonly second: Float32Array;
  /** Steps taken. */
  steps: number;
}

export const startAdam = (size: number): AdamState => ({ first: new Float32Array(size), second: new Float32Array(size), steps: 0 });

/** One step of Adam (Kingma & Ba 2015: β₁ 0.9, β₂ 0.999, ε 1e-8) down the gradient, the values then clipped to [0,1]; all in place. */
export function adamStep(values: Float32Array, gradient: ArrayLike<number>, state: AdamState, learningRate: number): void {
  const t = ++state.steps;
  const [correctFirst, correctSecond] = [1 - 0.9 ** t, 1 - 0.999 ** t];
  for (let i = 0; i < values.length; i++) {
    const g = gradient[i] as number;
    const m = 0.9 * (state.first[i] as number) + 0.1 * g;
    const v = 0.999 * (state.second[i] as number) + 0.001 * g * g;
    state.first[i] = m;
    state.second[i] = v;
    const moved = (values[i] as number) - (learningRate * (m / correctFirst)) / (Math.sqrt(v / correctSecond) + 1e-8);
    values[i] = Math.min(1, Math.max(0, moved));
  }
}
