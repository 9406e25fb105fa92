import { openNpz } from "../../io/npz.ts";

/** Adversarial images [start, end) of a finished `adversarial-*.npz`. */
export async function adversarialIn(file: string, start: number, end: number): Promise<Float32Array> {
  const { arrays, close } = await openNpz(file);
  try {
    return (await arrays.get("adversarial")?.read(start, end)) as Float32Array;
  } finally {
    await close();
  }
}
