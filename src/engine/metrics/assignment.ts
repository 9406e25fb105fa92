/**
 * Which column each row gets so that the sum of the chosen values is largest, no column twice. Hungarian method with shortest augmenting
 * paths, O(n³) (Kuhn 1955; Jonker and Volgenant 1987).
 * @param values [n·n], row by row, finite
 * @returns the column of each row
 */
export function bestAssignment(values: ArrayLike<number>, n: number): Int32Array {
  const cost = (row: number, column: number): number => -(values[(row - 1) * n + column - 1] as number);
  const [rowPrice, columnPrice] = [new Float64Array(n + 1), new Float64Array(n + 1)];
  const rowOf = new Int32Array(n + 1); // row that has a column, counted from 1; place 0 holds the row that is looked for
  for (let row = 1; row <= n; row++) {
    rowOf[0] = row;
    const before = shortestPath(n, cost, { rowPrice, columnPrice, rowOf });
    let column = before.last;
    while (column !== 0) {
      const previous = before.columns[column] as number;
      rowOf[column] = rowOf[previous] as number;
      column = previous;
    }
  }
  const chosen = new Int32Array(n);
  for (let column = 1; column <= n; column++) chosen[(rowOf[column] as number) - 1] = column - 1;
  return chosen;
}

interface Prices {
  readonly rowPrice: Float64Array;
  readonly columnPrice: Float64Array;
  readonly rowOf: Int32Array;
}

/** Dijkstra over reduced costs from the row at place 0 to a free column; updates the prices. `columns` leads back from `last`. */
function shortestPath(n: number, cost: (row: number, column: number) => number, { rowPrice, columnPrice, rowOf }: Prices) {
  const distance = new Float64Array(n + 1).fill(Number.POSITIVE_INFINITY);
  const columns = new Int32Array(n + 1);
  const isDone = new Uint8Array(n + 1);
  let column = 0;
  do {
    isDone[column] = 1;
    const row = rowOf[column] as number;
    let [step, next] = [Number.POSITIVE_INFINITY, 0];
    for (let j = 1; j <= n; j++) {
      if (isDone[j]) continue;
      const reduced = cost(row, j) - (rowPrice[row] as number) - (columnPrice[j] as number);
      if (reduced < (distance[j] as number)) [distance[j], columns[j]] = [reduced, column];
      if ((distance[j] as number) < step) [step, next] = [distance[j] as number, j];
    }
    for (let j = 0; j <= n; j++) {
      if (isDone[j]) {
        const owner = rowOf[j] as number;
        rowPrice[owner] = (rowPrice[owner] as number) + step;
        columnPrice[j] = (columnPrice[j] as number) - step;
      } else distance[j] = (distance[j] as number) - step;
    }
    column = next;
  } while (rowOf[column] !== 0);
  return { columns, last: column };
}
