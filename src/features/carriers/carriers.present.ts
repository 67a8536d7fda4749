import type { ListedCarrier } from './carrier.js';
import { findAdapter } from './registry.js';

/** Credentials are told by name alone; the plain ones (an account's id, a time zone) with their values. */
export function presentCarrier(row: ListedCarrier, publicUrl: string): Record<string, unknown> {
  return {
    id: row.id,
    account_id: row.account_id,
    shared: row.account_id === null,
    provider: row.provider,
    name: row.name,
    credentials: row.credential_names,
    settings: row.settings,
    is_active: row.is_active,
    voice_url: row.voice_url,
    country: row.country,
    webhook_url: webhookUrl(row.id, publicUrl),
    last_event_at: row.last_event_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
  };
}

/** One carrier, with what came last and what was turned away. */
export function presentCarrierInFull(row: ListedCarrier, publicUrl: string): Record<string, unknown> {
  return {
    ...presentCarrier(row, publicUrl),
    last_accepted: row.last_accepted,
    last_refused: row.last_refused,
    accepted_count: row.accepted_count,
    refused_count: row.refused_count,
  };
}

/** What to enter at the provider, and what stands in the way of it here. */
export function presentSetup(row: ListedCarrier, publicUrl: string): Record<string, unknown> {
  const url = webhookUrl(row.id, publicUrl);
  return {
    provider: row.provider,
    webhook_url: url,
    steps: findAdapter(row.provider)?.setup(url) ?? [],
    warnings: warningsOf(row, publicUrl),
  };
}

function warningsOf(row: ListedCarrier, publicUrl: string): string[] {
  const { hostname, protocol } = new URL(publicUrl);
  const isLocal = ['localhost', '127.0.0.1', '[::1]', '0.0.0.0'].includes(hostname);
  return [
    isLocal && `No provider reaches ${publicUrl}: set PUBLIC_URL to the address that the internet sees.`,
    !isLocal && protocol !== 'https:' && 'PUBLIC_URL is not https, so what the provider sends can be read on the way.',
    !row.is_active && 'The carrier is inactive: its webhooks are kept, and not made into call logs.',
  ].filter((warning) => warning !== false);
}

const webhookUrl = (id: string, publicUrl: string): string => `${publicUrl}/webhooks/${id}/`;
