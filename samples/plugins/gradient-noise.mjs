// A plugin: one attack and one defence. `bulwark check-plugin gradient-noise.mjs` tries both.

/** @param api what Bulwark hands to a plugin, so that it has nothing to import */
export default ({ defineAttack, defineInferenceDefense, Type, num, int, tf, inputGradient, margin }) => [
  // Steps along the gradient of the margin, each with some noise, inside an L∞ ball.
  defineAttack({
    id: "gradientNoise",
    title: "Gradient with noise",
    access: "gradients",
    iterative: true,
    params: Type.Object({
      eps: num(8 / 255, "Radius of the L∞ ball.", { min: 0, max: 1, unit: "of 1", role: "radius" }),
      steps: int(10, "Gradient steps.", { min: 1, role: "steps" }),
      noise: num(0.5, "Noise beside each step, as a share of its length.", { min: 0, max: 1 }),
    }),
    cheap: { steps: 2 },
    label: ({ steps, eps }) => `gradient with noise-${steps}, ε ${Math.round(255 * eps * 10) / 10}/255`,
    ball: ({ eps }) => ({ norm: "linf", radius: eps }),
    iterations: ({ steps }) => steps,
    async run(model, { images, labels }, { eps, steps, noise }, ctx) {
      const [b, height, width, channels] = images.shape;
      const size = height * width * channels;
      const random = Array.from({ length: b }, (_, i) => ctx.random(i)); // of image i: the same alone and in any batch
      let x = images.clone();
      try {
        for (let step = 0; step < steps; step++) {
          const { gradient, logits } = inputGradient(model, x, (z) => tf.neg(tf.sum(margin(z, { labels }))));
          const drawn = new Float32Array(b * size);
          for (let i = 0; i < b; i++) drawn.set(random[i].uniforms(size, -1, 1), i * size);
          try {
            await ctx.iterate(x, logits); // the harness keeps the best images, and stops here when it is asked to
            const next = tf.tidy(() => {
              const move = tf.add(tf.sign(gradient), tf.mul(tf.tensor4d(drawn, images.shape), noise));
              const moved = tf.add(x, tf.mul(move, (2.5 * eps) / steps));
              const inBall = tf.minimum(tf.maximum(moved, tf.sub(images, eps)), tf.add(images, eps));
              return tf.clipByValue(inBall, 0, 1);
            });
            x.dispose();
            x = next;
          } finally {
            tf.dispose([gradient, logits]);
          }
        }
        return x;
      } catch (stopped) {
        x.dispose();
        throw stopped;
      }
    },
  }),

  // Mean of each pixel's neighbourhood. Differentiable as it stands.
  defineInferenceDefense({
    id: "boxBlur",
    title: "Box blur",
    params: Type.Object({ window: int(3, "Side of the neighbourhood.", { min: 1, max: 15, unit: "px" }) }),
    label: ({ window }) => `box blur ${window}×${window}`,
    backward: () => "exact",
    transform: (x, { window }) => tf.avgPool(x, window, 1, "same"),
  }),
];
