/** Seeded random numbers. The engine draws from nothing else, so that equal seeds give equal runs. */
export interface Random {
  /** Uniform in [0,1), 32 bits of resolution. */
  next(): number;
  /** Fills `out` with 32 random bits each: `next` would have given them in turn, divided by 2³². */
  words(out: Uint32Array): void;
  /** Integer in [0, n). */
  integer(n: number): number;
  uniform(low: number, high: number): number;
  normal(mean?: number, deviation?: number): number;
  /** Uniform float32 values in [low, high). */
  uniforms(count: number, low?: number, high?: number): Float32Array;
  /** A permutation of 0…n−1. */
  permutation(n: number): Int32Array;
  /** An independent stream; the same name always gives the same stream, whatever was drawn before. */
  stream(name: string): Random;
}

/** Random numbers by image of the batch that is being computed. */
export interface Streams {
  random(i: number): Random;
}

/** xoshiro128** (Blackman & Vigna 2018), its state filled by splitmix32 of seed and stream name. */
export function createRandom(seed: number | string): Random {
  const state = seedState(String(seed));
  const next32 = (): number => {
    const s1 = state[1] as number;
    const result = Math.imul(rotl(Math.imul(s1, 5), 7), 9) >>> 0;
    const t = s1 << 9;
    state[2] = (state[2] as number) ^ (state[0] as number);
    state[3] = (state[3] as number) ^ s1;
    state[1] = s1 ^ (state[2] as number);
    state[0] = (state[0] as number) ^ (state[3] as number);
    state[2] = (state[2] as number) ^ t;
    state[3] = rotl(state[3] as number, 11);
    return result;
  };
  const next = (): number => next32() / 4294967296;
  const random: Random = {
    next,
    words(out) {
      let [s0, s1, s2, s3] = state as unknown as [number, number, number, number]; // as in next32, without going through memory
      for (let i = 0; i < out.length; i++) {
        out[i] = Math.imul(rotl(Math.imul(s1, 5), 7), 9);
        const t = s1 << 9;
        s2 ^= s0;
        s3 ^= s1;
        s1 ^= s2;
        s0 ^= s3;
        s2 ^= t;
        s3 = rotl(s3, 11);
      }
      state.set([s0, s1, s2, s3]);
    },
    integer: (n) => Math.floor(next() * n),
    uniform: (low, high) => low + (high - low) * next(),
    normal: (mean = 0, deviation = 1) => mean + deviation * Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()), // Box–Muller
    uniforms(count, low = 0, high = 1) {
      const values = new Float32Array(count);
      for (let i = 0; i < count; i++) values[i] = low + (high - low) * next();
      return values;
    },
    permutation: (n) => {
      const order = Int32Array.from({ length: n }, (_, i) => i);
      for (let i = n - 1; i > 0; i--) {
        const j = Math.floor(next() * (i + 1));
        [order[i], order[j]] = [order[j] as number, order[i] as number];
      }
      return order;
    },
    stream: (name) => createRandom(`${seed}/${name}`),
  };
  return random;
}

const rotl = (x: number, k: number): number => (x << k) | (x >>> (32 - k));

function seedState(text: string): Uint32Array {
  let h = 2166136261; // FNV-1a of the text, then splitmix32 for the four words
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 16777619);
  const words = new Uint32Array(4);
  for (let i = 0; i < 4; i++) {
    h = (h + 0x9e3779b9) | 0;
    let z = h;
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
    words[i] = z ^ (z >>> 15);
  }
  return words;
}
