const pointer = "version https://git-lfs";

/** Whether a file is what Git LFS leaves in place of one that it has not fetched. */
export const isLfsPointer = (bytes: Uint8Array): boolean => Buffer.from(bytes.subarray(0, pointer.length)).toString("latin1") === pointer;

export const lfsFix = 'Run "git lfs pull" in its folder.';
