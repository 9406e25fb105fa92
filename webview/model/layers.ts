/** "224 × 224 × 3"; any size is "?". */
export const shapeText = (shape: readonly (number | null)[]): string => shape.map((size) => size ?? "?").join(" × ");
