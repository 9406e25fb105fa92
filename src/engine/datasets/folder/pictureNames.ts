/** Endings of pictures that the decoder takes: such files are taken without a look into them, which would be slow on a network drive. */
const pictureName = /\.(png|jpe?g|jpe|jfif|webp|bmp|dib|gif|tiff?|avif)$/i;
/** What lies beside pictures and is none: passed over silently. */
const otherName =
  /(^|\/)(readme|license|licence|copying|thumbs\.db|desktop\.ini)$|\.(txt|csv|tsv|json|jsonc|jsonl|xml|html?|md|ya?ml|toml|ini|log|py|ipynb|sh|pdf|docx?|xlsx?|zip|gz|tgz|tar|rar|7z|mat|npy|npz|pkl|h5|hdf5|lst|names|db|onnx|pb|bulwark)$/i;

export const isPictureName = (file: string): boolean => pictureName.test(file);
export const isNoPicture = (file: string): boolean => otherName.test(file);
