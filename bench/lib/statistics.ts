const sorted = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);

/** The value below which the given share lies; NaN of nothing. */
export function quantile(values: readonly number[], share: number): number {
  const list = sorted(values);
  return list[Math.min(list.length - 1, Math.floor(list.length * share))] ?? Number.NaN;
}

export function median(values: readonly number[]): number {
  const list = sorted(values);
  const middle = list.length >> 1;
  if (list.length % 2 === 1) return list[middle] ?? Number.NaN;
  return ((list[middle - 1] ?? Number.NaN) + (list[middle] ?? Number.NaN)) / 2;
}

export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export const spreadOf = (values: readonly number[]): Spread => ({
  median: median(values),
  min: Math.min(...values),
  max: Math.max(...values),
});
