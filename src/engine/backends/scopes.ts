/** Name of the scope around a read that a gradient needs. */
export const dependentReadScope = "dependent read";
