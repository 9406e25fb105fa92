/** "1 image", "3 images". */
export const images = (count: number): string => `${count} image${count === 1 ? "" : "s"}`;
