import { permissionDenied } from '../../lib/errors.js';
import type { SecretBox } from '../../platform/secret-box.js';
import { editOrder, editsContent, moveOrder, type OrderPatch } from './order-changes.js';
import { findMove, isEditable, movesFrom, type PortOrder, type PortOrderStatus, type Side } from './port-order.js';
import { invalidTransition, notEditable, wrongMember } from './porting.errors.js';

type Person = Exclude<Side, 'system'>;

interface Circumstances {
  /** Whom the asker may act for. */
  readonly sides: readonly Person[];
  readonly box: SecretBox;
  readonly now: number;
}

/**
 * The order as the patch makes it, and on whose side that is. What the other side does is denied first, then what
 * nobody may do now. Content is the account's, `exception` and `foc_date` are the operator's.
 * @throws 403, 400, 409
 */
export function applyPatch(
  order: PortOrder,
  patch: OrderPatch,
  { sides, box, now }: Circumstances,
): { readonly after: PortOrder; readonly side: Person } {
  const side = patch.status === undefined ? editorOf(patch, sides) : moverOf(order, patch.status, sides);
  checkContent(order, patch, sides);
  checkOperatorsMembers(order, patch, sides);
  const edited = editOrder(order, patch, box);
  if (patch.status === undefined) {
    const after = patch.foc_date === undefined ? edited : { ...edited, focDate: patch.foc_date, focOverdueAt: null };
    return { after, side };
  }
  const told = {
    at: now,
    ...(patch.exception && { exception: patch.exception }),
    ...(patch.foc_date !== undefined && { focDate: patch.foc_date }),
  };
  return { after: moveOrder(edited, patch.status, told), side };
}

function moverOf(order: PortOrder, to: PortOrderStatus, sides: readonly Person[]): Person {
  const move = findMove(order.status, to, sides);
  if (move === 'foreign') throw permissionDenied();
  if (move === 'unknown' || move.by === 'system') {
    throw invalidTransition(order.status, to, movesFrom(order.status, sides));
  }
  return move.by;
}

const editorOf = (patch: OrderPatch, sides: readonly Person[]): Person =>
  patch.foc_date !== undefined && sides.includes('operator') ? 'operator' : (sides[0] ?? 'account');

function checkContent(order: PortOrder, patch: OrderPatch, sides: readonly Person[]): void {
  if (!editsContent(patch)) return;
  if (!sides.includes('account')) throw permissionDenied();
  if (!isEditable(order.status)) throw notEditable(order.status);
}

function checkOperatorsMembers(order: PortOrder, patch: OrderPatch, sides: readonly Person[]): void {
  const { status, exception, foc_date: focDate } = patch;
  if ((exception !== undefined || focDate !== undefined) && !sides.includes('operator')) throw permissionDenied();
  if (status === 'exception' && exception === undefined) throw wrongMember('exception', 'This field is required.');
  if (status !== 'exception' && exception !== undefined) {
    throw wrongMember('exception', 'Only with the status exception.');
  }
  if (focDate === undefined || status === 'foc_confirmed') return;
  if (status !== undefined) throw wrongMember('foc_date', 'Only with the status foc_confirmed, or alone.');
  if (order.status !== 'foc_confirmed') throw notEditable(order.status, 'given a date');
}
