/** Carries the bytes of all wires of a run, for as long as whoever started it is there. */
import { openWire, type Wire } from './wire.js';
import type { WireOrder, WirePort } from './wires.js';

const wires: Wire[] = [];

process.on('message', (order: WireOrder) => void obey(order));
process.once('disconnect', () => process.exit());

async function obey(order: WireOrder): Promise<void> {
  if (order.does !== 'listen') return wires[order.wire]?.[order.does]();
  const wire = await openWire(order.target);
  wires[order.wire] = wire;
  process.send?.({ wire: order.wire, port: wire.port } satisfies WirePort);
}
