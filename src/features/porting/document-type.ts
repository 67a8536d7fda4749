import type { DocumentKind } from './port-order.js';

interface DocumentType {
  readonly contentType: string;
  readonly extension: string;
  /** Other endings that people give such a file. */
  readonly otherExtensions: readonly string[];
  matches(content: Buffer): boolean;
}

const PNG_SIGNATURE = Buffer.from('89504e470d0a1a0a', 'hex');
/** The markers that may follow the start of a JPEG: frames, tables, restart interval, application data, comment. */
const isJpegMarker = (byte: number | undefined): boolean =>
  byte !== undefined &&
  ((byte >= 0xc0 && byte <= 0xcf) || byte === 0xdb || byte === 0xdd || byte >= 0xe0) &&
  byte < 0xff;

const TYPES: readonly DocumentType[] = [
  {
    contentType: 'application/pdf',
    extension: 'pdf',
    otherExtensions: [],
    // Readers also take a header further down; such a file may be something else as well, so it is refused.
    matches: (content) => /^%PDF-[1-9]\.[0-9]/.test(content.toString('latin1', 0, 8)),
  },
  {
    contentType: 'image/png',
    extension: 'png',
    otherExtensions: [],
    matches: (content) => content.subarray(0, 8).equals(PNG_SIGNATURE),
  },
  {
    contentType: 'image/jpeg',
    extension: 'jpg',
    otherExtensions: ['jpeg', 'jpe', 'jfif'],
    matches: (content) => content.subarray(0, 3).equals(Buffer.from('ffd8ff', 'hex')) && isJpegMarker(content[3]),
  },
];

/** What the content is, whatever name and type it came with; null: none of PDF, PNG and JPEG. */
export const detectContentType = (content: Buffer): string | null =>
  TYPES.find((type) => type.matches(content))?.contentType ?? null;

const LONGEST_NAME = 150;

/** The name to keep and to download by: no folders, nothing invisible, and the ending of what the content is. */
export function safeFileName(given: string, kind: DocumentKind, contentType: string): string {
  const last = given.split(/[/\\]/).at(-1) ?? '';
  const shown = last
    .normalize('NFC')
    .replace(/[\p{C}\p{Zl}\p{Zp}"*:<>?|;%]/gu, '')
    .replace(/^[.\s]+|[.\s]+$/g, '');
  const type = TYPES.find((candidate) => candidate.contentType === contentType);
  const extension = type?.extension ?? 'bin';
  const ending = /\.([A-Za-z0-9]{1,8})$/.exec(shown)?.[1]?.toLowerCase();
  const isRight = ending !== undefined && [extension, ...(type?.otherExtensions ?? [])].includes(ending);
  const stem = isRight ? shown.slice(0, -ending.length - 1) : shown;
  return `${[...(stem || kind)].slice(0, LONGEST_NAME).join('')}.${isRight ? ending : extension}`;
}

/** RFC 6266: a plain name for everyone, the real one for those who read it. */
export function attachment(fileName: string): string {
  const plain = fileName.replace(/[^A-Za-z0-9._ ()-]/g, '_');
  const encoded = encodeURIComponent(fileName).replace(/['()*]/g, (c) => `%${c.charCodeAt(0).toString(16)}`);
  return `attachment; filename="${plain}"; filename*=UTF-8''${encoded}`;
}
