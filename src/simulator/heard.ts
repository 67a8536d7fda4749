/** Compares what was heard live with the account's stored events. */
export interface Hearing {
  readonly lost: number;
  readonly doubled: number;
  readonly disordered: number;
  /** Heard, and not among the stored ones. */
  readonly unknown: number;
}

/** `stored` ascending; what was heard beyond its end came later and is not judged. */
export function compareHeard(heard: readonly number[], stored: readonly number[]): Hearing {
  const newest = stored.at(-1) ?? 0;
  const judged = heard.filter((seq) => seq <= newest);
  const known = new Set(stored);
  const distinct = new Set(judged);
  return {
    lost: stored.filter((seq) => !distinct.has(seq)).length,
    doubled: judged.length - distinct.size,
    disordered: judged.filter((seq, i) => seq < (judged[i - 1] ?? seq)).length,
    unknown: [...distinct].filter((seq) => !known.has(seq)).length,
  };
}
