import type { Db } from '../../platform/db/connect.js';
import type { DocumentKind, PortDocument } from './port-order.js';

interface DocumentRow {
  id: string;
  port_order_id: string;
  kind: DocumentKind;
  file_name: string;
  content_type: string;
  size: number;
  sha256: string;
  created_at: Date;
}

const COLUMNS = 'd.id, d.port_order_id, d.kind, d.file_name, d.content_type, d.size, d.sha256, d.created_at';

const toDocument = (row: DocumentRow): PortDocument => ({
  id: row.id,
  portOrderId: row.port_order_id,
  kind: row.kind,
  fileName: row.file_name,
  contentType: row.content_type,
  size: row.size,
  sha256: row.sha256,
  createdAt: row.created_at.getTime(),
});

export async function insertDocument(tx: Db, document: PortDocument, content: Buffer): Promise<void> {
  await tx('port_documents').insert({
    id: document.id,
    port_order_id: document.portOrderId,
    kind: document.kind,
    file_name: document.fileName,
    content_type: document.contentType,
    size: document.size,
    sha256: document.sha256,
    created_at: new Date(document.createdAt),
  });
  await tx('port_document_contents').insert({ document_id: document.id, content });
}

export async function deleteDocument(tx: Db, id: string): Promise<void> {
  await tx('port_documents').where({ id }).delete();
}

/** Of all the orders, oldest first. */
export async function listDocuments(db: Db, portOrderIds: readonly string[]): Promise<PortDocument[]> {
  if (portOrderIds.length === 0) return [];
  const { rows } = await db.raw<{ rows: DocumentRow[] }>(
    `select ${COLUMNS} from port_documents d where d.port_order_id = any(?::uuid[]) order by d.id`,
    [[...portOrderIds]],
  );
  return rows.map(toDocument);
}

export async function findDocument(db: Db, portOrderId: string, id: string): Promise<PortDocument | undefined> {
  const { rows } = await db.raw<{ rows: DocumentRow[] }>(
    `select ${COLUMNS} from port_documents d where d.port_order_id = ? and d.id = ?`,
    [portOrderId, id],
  );
  return rows[0] && toDocument(rows[0]);
}

export async function readContent(db: Db, documentId: string): Promise<Buffer | undefined> {
  const { rows } = await db.raw<{ rows: { content: Buffer }[] }>(
    'select content from port_document_contents where document_id = ?',
    [documentId],
  );
  return rows[0]?.content;
}
