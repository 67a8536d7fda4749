/** FreeSWITCH's mod_json_cdr: one record of each leg, at its end, which tells all of it. */
import { randomBytes } from 'node:crypto';
import type { CallStory, LegStory, Party } from '../stories.js';
import { type Claim, type End, endOf, runUuid, type Sender, seconds, sipStatusOf, type Webhook } from './sender.js';

interface Leg {
  readonly id: string;
  readonly core: string;
  readonly parent: string | undefined;
  /** The leg it was bridged to. */
  readonly other: string | undefined;
  readonly story: LegStory;
}

const CAUSES: Readonly<Record<LegStory['outcome'], string>> = {
  answered: 'NORMAL_CLEARING',
  missed: 'NO_ANSWER',
  busy: 'USER_BUSY',
  rejected: 'CALL_REJECTED',
  canceled: 'ORIGINATOR_CANCEL',
  failed: 'UNALLOCATED_NUMBER',
};

const causeOf = ({ outcome, failure }: LegStory): string =>
  outcome === 'failed' && failure === 'congestion' ? 'NORMAL_CIRCUIT_CONGESTION' : CAUSES[outcome];

/** `recv_…`: this leg's far end did; `send_…`: the switch, which on a bridged leg passes on what the other one did. */
function hangupOf({ story, other }: Leg): { word: string; source: Party } {
  const far: Party = story.direction === 'incoming' ? 'caller' : 'callee';
  const near: Party = far === 'caller' ? 'callee' : 'caller';
  const isFar = story.endedBy === far;
  const kind =
    story.answeredAt !== null
      ? 'bye'
      : isFar
        ? far === 'caller'
          ? 'cancel'
          : 'refuse'
        : far === 'caller'
          ? 'refuse'
          : 'cancel';
  const word = `${isFar ? 'recv' : 'send'}_${kind}`;
  if (story.outcome === 'canceled') return { word, source: 'caller' };
  return { word, source: isFar ? far : other === undefined ? 'system' : near };
}

/** Three digits finer than what counts. */
const micros = (ms: number | null): string => (ms === null ? '0' : `${ms}123`);

function variablesOf(leg: Leg): Readonly<Record<string, string>> {
  const { initiatedAt, ringingAt, answeredAt, endedAt } = leg.story;
  const values = {
    ...{ direction: leg.story.direction === 'incoming' ? 'inbound' : 'outbound', uuid: leg.id },
    ...{ sip_from_user: leg.story.from, sip_to_user: leg.story.to, caller_id: `"ACME" <${leg.story.from}>` },
    ...(leg.other !== undefined && { last_bridge_to: leg.other, bridge_uuid: leg.other }),
    ...(leg.parent !== undefined && { originator: leg.parent, originating_leg_uuid: leg.parent }),
    ...{ proto_specific_hangup_cause: `sip:${sipStatusOf(leg.story)}`, sip_hangup_disposition: hangupOf(leg).word },
    ...{ hangup_cause: causeOf(leg.story), start_uepoch: micros(initiatedAt), end_uepoch: micros(endedAt) },
    ...{ progress_uepoch: micros(ringingAt), answer_uepoch: micros(answeredAt), progress_media_uepoch: '0' },
    ...{ duration: String(seconds(endedAt) - seconds(initiatedAt)), billsec: String(billsecOf(leg.story)) },
  };
  // As the module writes them by default: encoded once more than the record.
  return Object.fromEntries(Object.entries(values).map(([name, value]) => [name, encodeURIComponent(value)]));
}

/** A difference of whole seconds, so that it may be one off. */
const billsecOf = ({ answeredAt, endedAt }: LegStory): number =>
  answeredAt === null ? 0 : seconds(endedAt) - seconds(answeredAt);

function recordOf(leg: Leg): object {
  const { initiatedAt, ringingAt, answeredAt, endedAt, from, to, direction } = leg.story;
  const times = {
    ...{ created_time: micros(initiatedAt), profile_created_time: micros(initiatedAt), progress_media_time: '0' },
    ...{ progress_time: micros(ringingAt), answered_time: micros(answeredAt), hangup_time: micros(endedAt) },
    ...{ hold_accum_time: '0', transfer_time: '0', resurrect_time: '0' },
  };
  const profile = {
    ...{ username: from, dialplan: 'XML', caller_id_name: 'ACME', ani: from, caller_id_number: from },
    ...{ destination_number: to, uuid: leg.id, source: 'mod_sofia', context: 'public' },
    ...(leg.parent !== undefined && { originator: { originator_caller_profiles: [{ uuid: leg.parent }] } }),
  };
  const way = direction === 'incoming' ? 'inbound' : 'outbound';
  return {
    ...{ 'core-uuid': leg.core, switchname: 'fs1', channel_data: { state: 'CS_REPORTING', direction: way } },
    ...{ variables: variablesOf(leg), app_log: { applications: [] } },
    callflow: [{ dialplan: 'XML', profile_index: '1', caller_profile: profile, times }],
  };
}

function claimsOf(leg: Leg): Claim[] {
  const { direction, from, to, initiatedAt, ringingAt, answeredAt, endedAt } = leg.story;
  const base = { leg: leg.id, parent: leg.parent, direction, from, to };
  const end: End = endOf(leg.story);
  const { source } = hangupOf(leg);
  return [
    { ...base, state: 'initiated', at: initiatedAt },
    ...(ringingAt === null ? [] : [{ ...base, state: 'ringing', at: ringingAt } as const]),
    ...(answeredAt === null ? [] : [{ ...base, state: 'answered', at: answeredAt } as const]),
    {
      ...{ ...base, ...end, state: 'ended', at: endedAt, source },
      ...{ providerCause: causeOf(leg.story), talkSeconds: billsecOf(leg.story) },
    },
  ];
}

const report = (leg: Leg): Webhook => ({
  ...{ event: 'cdr', at: leg.story.endedAt, path: `?uuid=${leg.id}`, contentType: 'application/json' },
  ...{ body: JSON.stringify(recordOf(leg)), claims: claimsOf(leg) },
});

function tell(story: CallStory, run: string): Webhook[] {
  const ids = story.random('ids');
  const core = '32754832-01fd-4194-acb9-eb3961814be1';
  const id = runUuid(run, ids.uuid());
  const { forwarded } = story;
  if (!forwarded) return [report({ id, core, parent: undefined, other: undefined, story: story.leg })];
  const child = runUuid(run, ids.uuid());
  // What is dialled inside is an extension, no phone number.
  const inside = { ...forwarded, to: String(ids.between(1000, 1099)) };
  const other = forwarded.answeredAt === null ? undefined : child;
  return [
    report({ id: child, core, parent: id, other: other && id, story: inside }),
    report({ id, core, parent: undefined, other, story: story.leg }),
  ];
}

export const freeswitch: Sender = {
  provider: 'freeswitch',
  makeKeys() {
    const [username, password] = ['freeswitch', randomBytes(18).toString('base64url')];
    return { credentials: { username, password }, signing: { username, password } };
  },
  tell,
  sign(webhook, { keys }) {
    const basic = Buffer.from(`${keys.signing.username}:${keys.signing.password}`).toString('base64');
    const headers = { 'User-Agent': 'freeswitch-json/1.0', Authorization: `Basic ${basic}` };
    return { body: webhook.body, headers: { 'Content-Type': webhook.contentType, ...headers } };
  },
};
