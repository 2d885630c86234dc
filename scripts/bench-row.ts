/** What a row is measured in. Of `MB/s` more is better, of all others less. */
export type Unit = 's' | 'ms' | 'MB/s' | 'MiB' | 'requests';

/** What a row should reach: a bound for our value, for its ratio to the peer's, or for the difference of both. */
export interface Goal {
  readonly of: 'ours' | 'ratio' | 'difference';
  readonly bound: 'most' | 'least';
  readonly value: number;
}

/** One comparison: medians of `n` measurements. Without a peer, there is nothing to compare with. */
export interface Row {
  readonly name: string;
  readonly engine: string;
  readonly unit: Unit;
  readonly ours: number;
  readonly peer?: number;
  /** Ours divided by the peer's. */
  readonly ratio?: number;
  readonly n: number;
  readonly goal?: Goal;
  /** What else there is to know of these measurements. */
  readonly note?: string;
}

/** The measurements of a row. */
export interface Measured {
  readonly ours: readonly number[];
  readonly peer?: readonly number[];
}

/** A row with the medians of what was measured. */
export function rowOf(row: Pick<Row, 'name' | 'engine' | 'unit' | 'goal' | 'note'>, { ours, peer }: Measured): Row {
  const our = median(ours);
  if (peer === undefined) return { ...row, ours: rounded(our), n: ours.length };
  const their = median(peer);
  return { ...row, ours: rounded(our), peer: rounded(their), ratio: rounded(our / their), n: ours.length };
}

/** Whether a row reaches its goal; undefined when it has none. */
export function reachesGoal({ ours, peer = 0, ratio = 0, goal }: Row): boolean | undefined {
  if (goal === undefined) return undefined;
  const value = { ours, ratio, difference: ours - peer }[goal.of];
  return goal.bound === 'most' ? value <= goal.value : value >= goal.value;
}

/** The smallest value that so large a share of the values does not exceed. */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}

/** The middle of some values, or what is between the two in the middle. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((one, other) => one - other);
  const middle = (sorted.length - 1) / 2;
  return ((sorted[Math.floor(middle)] ?? 0) + (sorted[Math.ceil(middle)] ?? 0)) / 2;
}

/** A value with two decimal places, as people read it. */
export function rounded(value: number): number {
  return Math.round(value * 100) / 100;
}
