interface UrlParts {
  readonly scheme: string;
  readonly userInfo: string;
  readonly host: string;
  readonly port: string;
  readonly rest: string;
}

/** Splits without normalising: what was signed is the exact spelling of path and query. */
function splitUrl(url: string): UrlParts | null {
  const match = /^([a-z][a-z0-9+.-]*:\/\/)([^/?#]*)/i.exec(url);
  if (!match) return null;
  const [prefix, scheme = '', authority = ''] = match;
  const userInfo = authority.slice(0, authority.lastIndexOf('@') + 1);
  const hostAndPort = authority.slice(userInfo.length);
  const colon = hostAndPort.indexOf(':', hostAndPort.lastIndexOf(']') + 1);
  return {
    scheme,
    userInfo,
    host: colon < 0 ? hostAndPort : hostAndPort.slice(0, colon),
    port: colon < 0 ? '' : hostAndPort.slice(colon),
    rest: url.slice(prefix.length),
  };
}

/** The URL without a port and, unless another one is written, with the scheme's own: as the providers' SDKs try it. */
export function portSpellings(url: string): readonly string[] {
  const parts = splitUrl(url);
  if (!parts) return [url];
  const port = parts.port || (parts.scheme.toLowerCase() === 'https://' ? ':443' : ':80');
  const start = parts.scheme + parts.userInfo + parts.host;
  return [start + parts.rest, start + port + parts.rest];
}

/** For a person to compare with what is entered at the provider; without the query, which may hold a secret. */
export const urlForPeople = (url: string): string => url.split('?')[0] ?? url;
