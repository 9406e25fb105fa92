/** Name of the scope around a read that a gradient needs. */
export const dependentReadScope = "dependent read";
/** Name of the scope around a tensor over an array that the caller leaves alone until the tensor has been used: it is not copied. */
export const handedOverScope = "handed over";
