/**
 * Whether a list of entity tags (`If-Match`, `If-None-Match`) has this one, or is `*`. A proxy that compresses makes tags
 * weak, so `W/` is passed over (RFC 9110, 8.8.3.2: weak comparison).
 */
export function listsEtag(list: string, etag: string): boolean {
  const tags = list.split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  return tags.includes('*') || tags.includes(etag);
}
