import { type AnyRoute, Reply, route, type UploadedFile } from '../../http/route.js';
import { attachment } from './document-type.js';
import { documentAnswer } from './port-answers.schema.js';
import { MOST_DOCUMENT_BYTES, type PortDocumentService } from './port-documents.service.js';
import { wrongMember } from './porting.errors.js';
import { presentDocument } from './porting.present.js';
import { READ, WRITE } from './porting.routes.js';
import { type NewDocument, newDocument } from './porting.schema.js';

type Id = { readonly id: string };
type Ids = { readonly id: string; readonly document_id: string };

/** What the parts of a multipart body need beside the file. */
const ENVELOPE_BYTES = 65_536;
const ONE = '/api/port_orders/:id/documents/:document_id/';

/** @throws 400 */
function fileOf(files: readonly UploadedFile[], { file }: NewDocument): UploadedFile {
  const stray = files.find(({ field }) => field !== 'file');
  if (stray) throw wrongMember(stray.field, 'Unknown field.');
  const [given, ...more] = files;
  if (more.length > 0) throw wrongMember('file', 'Send one file at a time.');
  if (given) return given;
  throw wrongMember('file', file === undefined ? 'This field is required.' : 'The submitted data was not a file.');
}

export const portDocumentRoutes = (service: PortDocumentService): AnyRoute[] => [
  route<Id, unknown, NewDocument>({
    ...WRITE,
    method: 'post',
    path: '/api/port_orders/:id/documents/',
    summary: 'Upload a document of a port order',
    description: 'In `draft` and `exception`, else 409 `not_editable`. What it is, is told by the content alone.',
    accepts: ['multipart'],
    body: newDocument,
    bodyLimit: MOST_DOCUMENT_BYTES + ENVELOPE_BYTES,
    status: 201,
    responses: {
      201: { description: 'The document.', schema: documentAnswer, headers: { Location: 'Where it is.' } },
      409: { description: '`not_editable`.' },
      413: { description: 'More than 10 MiB.' },
      415: { description: 'Not multipart, or the file is no PDF, PNG or JPEG by its content.' },
    },
    permit: ({ actor, params }) => service.checkMayUpload(actor, params.id),
    async handle({ actor, params, body, files }) {
      const document = presentDocument(
        await service.add(actor, params.id, { kind: body.kind, file: fileOf(files, body) }),
      );
      return new Reply(document, { headers: { Location: String(document.url) } });
    },
  }),
  route<Ids>({
    ...READ,
    path: ONE,
    summary: 'Download a document',
    description: 'For the account’s admins and operators.',
    responses: {
      200: {
        description: 'The content, as it was uploaded: PDF, PNG or JPEG.',
        contentType: '*/*',
        headers: { 'Content-Disposition': 'A file name; always an attachment.', ETag: 'SHA-256 of the content.' },
      },
    },
    async handle({ actor, params }) {
      const document = await service.getDocument(actor, params.id, params.document_id);
      return new Reply(await service.read(document), {
        headers: {
          'Content-Type': document.contentType,
          'Content-Disposition': attachment(document.fileName),
          // Whatever else the bytes may be besides: nothing of it runs in a browser.
          'X-Content-Type-Options': 'nosniff',
          'Content-Security-Policy': "default-src 'none'; sandbox; frame-ancestors 'none'",
          'Cache-Control': 'private, no-store',
          ETag: `"${document.sha256}"`,
        },
      });
    },
  }),
  route<Ids>({
    ...WRITE,
    method: 'delete',
    path: ONE,
    summary: 'Delete a document of a draft',
    responses: { 204: { description: 'It is gone.' }, 409: { description: '`not_editable`: the order is no draft.' } },
    permit: ({ actor, params }) => service.checkMayRemove(actor, params.id, params.document_id),
    handle: ({ actor, params }) => service.remove(actor, params.id, params.document_id),
  }),
];
