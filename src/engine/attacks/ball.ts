import type { Random } from "../random.ts";
import { type Images, tf } from "../tf.ts";

/** How gradient attacks move in the ball around clean images [b,H,W,C], always within [0,1]. */
export interface BallAround {
  /** Clean images moved to random places, uniform in the ball before they are clipped to [0,1]; each image draws from its own stream. */
  randomStart(random: (i: number) => Random): Images;
  /** A step of length `size` along the gradient, brought back into the ball. An image of zero gradient stays. */
  step(x: Images, gradient: Images, size: number): Images;
  dispose(): void;
}

/** @param eps radius, in units of [0,1] pixels */
export const ballAround = (images: Images, norm: "linf" | "l2", eps: number): BallAround =>
  norm === "linf" ? linfBall(images, eps) : l2Ball(images, eps);

function linfBall(images: Images, eps: number): BallAround {
  const low = tf.tidy(() => tf.maximum(tf.sub(images, eps), 0));
  const high = tf.tidy(() => tf.minimum(tf.add(images, eps), 1));
  return {
    randomStart: (random) => moved(images, (i, size) => random(i).uniforms(size, -eps, eps)),
    step: (x, gradient, size) => tf.tidy(() => tf.minimum(tf.maximum(tf.add(x, tf.mul(tf.sign(gradient), size)), low), high)),
    dispose: () => tf.dispose([low, high]),
  };
}

function l2Ball(images: Images, eps: number): BallAround {
  return {
    randomStart: (random) => moved(images, (i, size) => uniformInSphere(random(i), size, eps)),
    step: (x, gradient, size) => tf.tidy(() => nearestInside(tf.sub(tf.add(x, tf.mul(unit(gradient, "l2"), size)), images), images, eps)),
    dispose: () => {},
  };
}

function moved(images: Images, noiseOf: (i: number, size: number) => Float32Array): Images {
  const [b, height, width, channels] = images.shape;
  const size = height * width * channels;
  const noise = new Float32Array(b * size);
  for (let i = 0; i < b; i++) noise.set(noiseOf(i, size), i * size);
  return tf.tidy(() => tf.clipByValue(tf.add(images, tf.tensor4d(noise, images.shape)) as Images, 0, 1));
}

/** Uniform in the ball of that radius: a normal direction, and a length of r·u^(1/d). */
function uniformInSphere(rng: Random, size: number, radius: number): Float32Array {
  const direction = Float32Array.from({ length: size }, () => rng.normal());
  const length = Math.sqrt(direction.reduce((sum, v) => sum + v * v, 0));
  const scale = (radius * rng.next() ** (1 / size)) / length;
  return direction.map((v) => v * scale);
}

const smallest = 1e-30;
const perImage = [1, 2, 3];
const squares = (x: tf.Tensor): tf.Tensor => tf.sum(tf.square(x), perImage, true);

/** Each image's gradient at length 1 in a norm, or zero. Divided by its largest value first: squares of small gradients vanish in float32. */
export function unit(gradient: Images, norm: "l1" | "l2"): Images {
  const scaled = tf.div(gradient, tf.maximum(tf.max(tf.abs(gradient), perImage, true), smallest));
  const length = norm === "l1" ? tf.sum(tf.abs(scaled), perImage, true) : tf.sqrt(squares(scaled));
  return tf.div(scaled, tf.maximum(length, smallest)) as Images;
}

const rounds = 8;

/**
 * The point of ball and box that is nearest to x + δ. Its change is sign(δ)·min(s·|δ|, room), where `room` is what the box leaves, with
 * the largest s ≤ 1 whose length is no more than ε (the Karush–Kuhn–Tucker conditions). The squared length is concave in t = s² and
 * linear between the values where a pixel meets the box, so Newton's method from t = 0 rises to the solution and never leaves the ball;
 * where no pixel meets the box, the first round is exact.
 */
function nearestInside(delta: tf.Tensor, images: Images, eps: number): Images {
  const size = tf.abs(delta);
  const room = tf.where(tf.greater(delta, 0), tf.sub(1, images), images);
  let t: tf.Tensor = tf.zeros([images.shape[0], 1, 1, 1]);
  for (let round = 0; round < rounds; round++) {
    const wanted = tf.mul(size, tf.sqrt(t));
    const free = tf.cast(tf.less(wanted, room), "float32");
    const slope = squares(tf.mul(size, free));
    const missing = tf.sub(eps * eps, squares(tf.minimum(wanted, room)));
    t = tf.minimum(tf.add(t, tf.div(tf.maximum(missing, 0), tf.maximum(slope, smallest))), 1);
  }
  return tf.add(images, tf.mul(tf.sign(delta), tf.minimum(tf.mul(size, tf.sqrt(t)), room))) as Images;
}
