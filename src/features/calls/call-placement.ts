/**
 * Whose call is it? A leg without a call log is placed by what is known of it now, once and for all: with the holder of
 * its virtual number when it began, else (a child leg) with its parent. What cannot be placed waits for what it lacks,
 * or is passed over because nobody here held the number.
 */
import type { Direction } from '../carriers/index.js';
import { type Holding, holderAt } from '../numbers/index.js';
import type { CallFacts } from './call-facts.js';
import { CALL_STATES } from './call-facts.js';
import type { CallView } from './call-view.js';

/** Where the call log stands: fixed when it is made. */
export interface Place {
  readonly accountId: string;
  readonly userId: string | null;
  readonly virtualNumberId: string | null;
  readonly virtualNumber: string | null;
}

export type Placement =
  | { readonly kind: 'placed'; readonly place: Place; readonly direction: Direction }
  | {
      /** `waiting`: for one of the same carrier call or for its parent; `ignored`: nobody here holds the number. */
      readonly kind: 'waiting' | 'ignored';
      readonly code: 'unknown_call' | 'unknown_parent' | 'unknown_number';
      readonly detail: string;
      /** By which the webhook is found when what it lacks has come. */
      readonly keys: readonly string[];
    };

export interface PlacementQuestion {
  readonly carrierId: string;
  /** The account of an own carrier; null: a shared one. */
  readonly carrierAccountId: string | null;
  readonly callId: string;
  readonly facts: CallFacts;
  /** Null: no state is stated yet. */
  readonly view: CallView | null;
  readonly holdings: ReadonlyMap<string, readonly Holding[]>;
  /** Place of the told parent, or of the session's root; undefined: no such call log. */
  readonly parent: Place | undefined;
}

export const legKey = (carrierId: string, callId: string): string => `leg:${carrierId}:${callId}`;
export const sessionKey = (carrierId: string, sessionId: string): string => `session:${carrierId}:${sessionId}`;
export const numberKey = (number: string): string => `number:${number}`;

export function placeCall(question: PlacementQuestion): Placement {
  const { view, parent } = question;
  const direction = view ? directionOf(question, view) : null;
  if (!view || direction === 'unknown' || direction === null) return waitForLeg(question);
  if (direction === 'nobody') return parent ? waitForLeg(question) : notHeld(question, view, [view.from, view.to]);
  const number = direction === 'incoming' ? view.to : view.from;
  const holder = number === null ? null : holderOf(question, number, view);
  if (holder && number !== null) {
    const { accountId, userId, virtualNumberId } = holder;
    return { kind: 'placed', direction, place: { accountId, userId, virtualNumberId, virtualNumber: number } };
  }
  if (parent) return { kind: 'placed', direction, place: parent };
  if (view.parentCallId !== null) return waitForParent(question, view.parentCallId, number);
  return number === null ? waitForLeg(question) : notHeld(question, view, [number]);
}

/**
 * As told; else by which party is held here: when both are, as presumed; `unknown` when nothing is or a party is
 * missing, `nobody` when none is held.
 */
function directionOf(question: PlacementQuestion, view: CallView): Direction | 'unknown' | 'nobody' {
  if (view.direction) return view.direction;
  const isHeld = (party: string | null): boolean => party !== null && holderOf(question, party, view) !== null;
  const [from, to] = [isHeld(view.from), isHeld(view.to)];
  if (from !== to) return to ? 'incoming' : 'outgoing';
  if (from) return question.facts.registers.presumedDirection?.value ?? 'unknown';
  return view.from === null || view.to === null ? 'unknown' : 'nobody';
}

function holderOf(question: PlacementQuestion, number: string, view: CallView): Holding | null {
  const holdings = question.holdings.get(number) ?? [];
  return holderAt(holdings, beginOf(question.facts, view), question.carrierAccountId);
}

/** The start; told in whole seconds it may have been as late as the end of that second. */
function beginOf(facts: CallFacts, view: CallView): number {
  const { startedAt } = view;
  const isTold = facts.end?.rank[0] === 1 || CALL_STATES.some((state) => facts.states[state]?.told === startedAt);
  return isTold && startedAt % 1000 === 0 ? startedAt + 999 : startedAt;
}

const ownKeys = ({ carrierId, callId }: PlacementQuestion): string[] => [legKey(carrierId, callId)];

function waitForLeg(question: PlacementQuestion): Placement {
  const session = question.facts.registers.sessionId?.value;
  const keys = session === undefined ? [] : [sessionKey(question.carrierId, session)];
  const detail = 'Nothing has told yet which call this is: its direction, its parties or its state are missing.';
  return { kind: 'waiting', code: 'unknown_call', detail, keys: [...ownKeys(question), ...keys] };
}

function waitForParent(question: PlacementQuestion, parentCallId: string, number: string | null): Placement {
  const keys = [...ownKeys(question), legKey(question.carrierId, parentCallId)];
  const detail = 'The leg that made this one has not been reported, and nobody here holds its number.';
  return {
    kind: 'waiting',
    code: 'unknown_parent',
    detail,
    keys: number === null ? keys : [...keys, numberKey(number)],
  };
}

function notHeld(question: PlacementQuestion, view: CallView, numbers: readonly (string | null)[]): Placement {
  const { carrierId } = question;
  const held = numbers.filter((number) => number !== null).map(numberKey);
  const session = view.sessionId === null ? [] : [sessionKey(carrierId, view.sessionId)];
  const detail = 'Nobody here held the number when the call began.';
  return { kind: 'ignored', code: 'unknown_number', detail, keys: [...ownKeys(question), ...session, ...held] };
}
