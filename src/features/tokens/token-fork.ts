/**
 * The fork rule. The refresh tokens of a family are a tree of nodes; a node is what counts as one token. Presenting a
 * token of a node issues a successor in a child node: in the newest child while that one's newest token is no older than
 * the reuse window (tabs that refresh at once, or soon one after the other, get siblings that count as one), else in a
 * new child.
 *
 * A token may be presented again, for a client that lost the answer or ignores new refresh tokens, as long as nobody
 * has presented a successor of it. Two tokens of which each should have been the only one are two holders, of which
 * one is a thief: presenting a token whose child or sibling node was presented stops the family. Nothing further up
 * needs a look: a presented niece would mean a presented sibling.
 */
export interface ForkView {
  /** Whether a child of the presented node has been presented. */
  readonly childPresented: boolean;
  /** Whether another child of its parent has been presented. */
  readonly siblingPresented: boolean;
  readonly newestChild: { readonly id: string; readonly lastIssuedAt: Date } | null;
}

export type ForkVerdict =
  | { readonly kind: 'theft' }
  | { readonly kind: 'join'; readonly nodeId: string }
  | { readonly kind: 'branch' };

export function judgeFork(view: ForkView, now: number, reuseWindowSeconds: number): ForkVerdict {
  if (view.childPresented || view.siblingPresented) return { kind: 'theft' };
  const child = view.newestChild;
  const isFresh = child !== null && now - child.lastIssuedAt.getTime() <= reuseWindowSeconds * 1000;
  return isFresh ? { kind: 'join', nodeId: child.id } : { kind: 'branch' };
}
