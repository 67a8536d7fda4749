import { createHash } from 'node:crypto';
import type { Actor } from '../../http/actor.js';
import type { UploadedFile } from '../../http/route.js';
import { permissionDenied } from '../../lib/errors.js';
import { newId } from '../../lib/ids.js';
import type { Platform } from '../../platform/platform.js';
import { detectContentType, safeFileName } from './document-type.js';
import { type Journal, note, tell } from './order-journal.js';
import {
  deleteDocument,
  findDocument,
  insertDocument,
  listDocuments,
  readContent,
} from './port-documents.repository.js';
import { type DocumentKind, isEditable, type PortDocument, type PortOrder } from './port-order.js';
import {
  documentTooLarge,
  documentTypeUnsupported,
  notEditable,
  portDocumentNotFound,
  wrongMember,
} from './porting.errors.js';
import { updateOrder } from './porting.repository.js';
import { handOf, isOwn, type PortingService } from './porting.service.js';

export const MOST_DOCUMENT_BYTES = 10 * 1_048_576;
/** Of one order. */
export const MOST_DOCUMENTS = 20;

export type PortDocumentService = ReturnType<typeof createPortDocumentService>;

export function createPortDocumentService({ db }: Platform, orders: PortingService) {
  /** Documents are the account's; operators read them. */
  function checkMayWrite(actor: Actor, order: PortOrder): void {
    if (!isOwn(actor, order)) throw permissionDenied();
  }

  async function getDocument(actor: Actor, id: string, documentId: string): Promise<PortDocument> {
    const order = await orders.getOrder(actor, id);
    const document = await findDocument(db, order.id, documentId);
    if (!document) throw portDocumentNotFound();
    return document;
  }

  return {
    getDocument,

    async checkMayUpload(actor: Actor, id: string): Promise<void> {
      checkMayWrite(actor, await orders.getOrder(actor, id));
    },

    async checkMayRemove(actor: Actor, id: string, documentId: string): Promise<void> {
      await getDocument(actor, id, documentId);
      checkMayWrite(actor, await orders.getOrder(actor, id));
    },

    /** @throws 413, 415, 409 */
    async add(actor: Actor, id: string, given: { kind: DocumentKind; file: UploadedFile }): Promise<PortDocument> {
      const { content } = given.file;
      if (content.length > MOST_DOCUMENT_BYTES) throw documentTooLarge(MOST_DOCUMENT_BYTES);
      const contentType = detectContentType(content);
      if (contentType === null) throw documentTypeUnsupported();
      return orders.onOrder(actor, id, async (journal, order) => {
        checkMayWrite(actor, order);
        if (!isEditable(order.status)) throw notEditable(order.status, 'given documents');
        const others = await listDocuments(journal.tx, [order.id]);
        if (others.length >= MOST_DOCUMENTS) {
          throw wrongMember('file', `A port order may have ${MOST_DOCUMENTS} documents at most.`);
        }
        const document: PortDocument = {
          ...{ id: newId(), portOrderId: order.id, kind: given.kind, contentType },
          fileName: safeFileName(given.file.filename, given.kind, contentType),
          size: content.length,
          sha256: createHash('sha256').update(content).digest('hex'),
          createdAt: journal.now,
        };
        await insertDocument(journal.tx, document, content);
        await tellOf(journal, { order, document, action: 'document_added', actor });
        return document;
      });
    },

    /** Only of a draft: what a carrier has seen stays. @throws 404, 409 */
    remove: (actor: Actor, id: string, documentId: string): Promise<void> =>
      orders.onOrder(actor, id, async (journal, order) => {
        checkMayWrite(actor, order);
        const document = await findDocument(journal.tx, order.id, documentId);
        if (!document) throw portDocumentNotFound();
        if (order.status !== 'draft') throw notEditable(order.status, 'stripped of its documents');
        await deleteDocument(journal.tx, document.id);
        await tellOf(journal, { order, document, action: 'document_removed', actor });
      }),

    async read(document: PortDocument): Promise<Buffer> {
      const content = await readContent(db, document.id);
      if (!content) throw portDocumentNotFound();
      return content;
    },
  };
}

async function tellOf(
  journal: Journal,
  change: {
    readonly order: PortOrder;
    readonly document: PortDocument;
    readonly action: 'document_added' | 'document_removed';
    readonly actor: Actor;
  },
): Promise<void> {
  const { document, action, actor } = change;
  const order = { ...change.order, updatedAt: Math.max(journal.now, change.order.updatedAt) };
  await updateOrder(journal.tx, order);
  const details = { document: { id: document.id, kind: document.kind, file_name: document.fileName } };
  await note(journal, order, { action, hand: handOf(actor, 'account'), details });
  await tell(journal, order, { type: 'port_order.updated' });
}
