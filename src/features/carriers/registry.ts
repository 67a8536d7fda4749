import type { ProviderAdapter } from './provider.js';
import { bandwidth } from './providers/bandwidth.js';
import { freeswitch } from './providers/freeswitch.js';
import { generic } from './providers/generic.js';
import { jambonz } from './providers/jambonz.js';
import { plivo } from './providers/plivo.js';
import { signalwire } from './providers/signalwire.js';
import { sinch } from './providers/sinch.js';
import { telnyx } from './providers/telnyx.js';
import { twilio } from './providers/twilio.js';
import { vonage } from './providers/vonage.js';

/** Every provider that the switchboard understands: the only list of them. */
const ADAPTERS: readonly ProviderAdapter[] = [
  twilio,
  telnyx,
  vonage,
  plivo,
  signalwire,
  jambonz,
  bandwidth,
  sinch,
  freeswitch,
  generic,
];

const byName: ReadonlyMap<string, ProviderAdapter> = new Map(ADAPTERS.map((adapter) => [adapter.name, adapter]));

export const PROVIDERS: readonly string[] = [...byName.keys()];

export const findAdapter = (provider: string): ProviderAdapter | undefined => byName.get(provider);
