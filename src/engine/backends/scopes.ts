/** Name of the scope around a read that a gradient cannot do without. */
export const dependentReadScope = "dependent read";
