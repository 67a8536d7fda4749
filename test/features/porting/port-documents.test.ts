import { createHash } from 'node:crypto';
import { expect } from 'chai';
import { attachment, detectContentType, safeFileName } from '../../../src/features/porting/document-type.js';
import {
  JPEG,
  move,
  openPortDoors,
  PDF,
  PNG,
  PORT_ORDERS,
  type PortDoors,
  sendForm,
  submittable,
  upload,
} from './port-doors.js';

const MEBIBYTE = 1_048_576;

describe('documents of port orders', () => {
  let doors: PortDoors;

  before(async () => {
    doors = await openPortDoors();
  });
  after(() => doors.close());

  const draftOf = async () => {
    const api = await doors.person();
    const order = (await api.post(PORT_ORDERS, submittable())).body;
    return { api, order, path: `${PORT_ORDERS}${order.id}/` };
  };

  it('is kept as it came and given back as an attachment', async () => {
    const { api, order, path } = await draftOf();

    const added = await upload(api, order.id, { content: PDF, name: 'signed letter.pdf', type: 'text/html' });
    const got = await api.fetch(`${path}documents/${added.body.id}/`);

    expect(added.status).to.equal(201);
    expect(added.body).to.deep.include({
      kind: 'loa',
      file_name: 'signed letter.pdf',
      content_type: 'application/pdf',
      size: PDF.length,
      sha256: createHash('sha256').update(PDF).digest('hex'),
      url: `${path}documents/${added.body.id}/`,
    });
    expect(added.headers.get('location')).to.equal(added.body.url);
    expect((await api.get(path)).body.documents).to.deep.equal([added.body]);
    expect(got.headers.get('content-type')).to.equal('application/pdf');
    expect(got.headers.get('content-disposition')).to.match(/^attachment; filename="signed letter\.pdf"/);
    expect(got.headers.get('x-content-type-options')).to.equal('nosniff');
    expect(got.headers.get('content-security-policy')).to.include('sandbox');
    expect(Buffer.from(await got.arrayBuffer()).equals(PDF)).to.equal(true);
  });

  it('tells PNG and JPEG by their content, whatever they are called', async () => {
    const { api, order } = await draftOf();

    const png = await upload(api, order.id, {
      content: PNG,
      name: 'scan.exe',
      type: 'application/pdf',
      kind: 'invoice',
    });
    const jpeg = await upload(api, order.id, { content: JPEG, name: 'photo.JPEG' });

    expect(png.body).to.include({ content_type: 'image/png', file_name: 'scan.exe.png', kind: 'invoice' });
    expect(jpeg.body).to.include({ content_type: 'image/jpeg', file_name: 'photo.jpeg' });
  });

  const strangers: readonly (readonly [string, Buffer])[] = [
    ['text', Buffer.from('This letter authorises the move of my numbers.')],
    ['nothing', Buffer.alloc(0)],
    ['HTML', Buffer.from('<html><script>alert(1)</script></html>')],
    ['a program', Buffer.from('4d5a90000300000004000000ffff0000', 'hex')],
    ['a ZIP', Buffer.from('504b0304140000000800', 'hex')],
    ['a GIF', Buffer.from('GIF89a\x01\x00\x01\x00', 'latin1')],
    ['HTML before a PDF', Buffer.concat([Buffer.from('<html>'), PDF])],
    ['half of a PNG signature', PNG.subarray(0, 6)],
    ['the first bytes of a JPEG and no marker', Buffer.from('ffd8ff00', 'hex')],
    ['a SVG', Buffer.from('<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"/>')],
  ];
  for (const [what, content] of strangers) {
    it(`refuses ${what} that is called PDF`, async () => {
      const { api, order, path } = await draftOf();

      const refused = await upload(api, order.id, { content, name: 'loa.pdf', type: 'application/pdf' });

      expect(refused.status).to.equal(415);
      expect(refused.body.code).to.equal('unsupported_document_type');
      expect((await api.get(path)).body.documents).to.deep.equal([]);
    });
  }

  it('takes 10 MiB and not a byte more', async () => {
    const { api, order } = await draftOf();
    const sized = (size: number) => Buffer.concat([PDF, Buffer.alloc(size - PDF.length, 0x20)]);

    const full = await upload(api, order.id, { content: sized(10 * MEBIBYTE) });
    const more = await upload(api, order.id, { content: sized(10 * MEBIBYTE + 1) });
    const far = await upload(api, order.id, { content: sized(11 * MEBIBYTE) });

    expect(full.status).to.equal(201);
    expect(full.body.size).to.equal(10 * MEBIBYTE);
    expect(more.body).to.include({ status: 413, code: 'document_too_large' });
    expect(far.status).to.equal(413);
  });

  it('says what an upload lacks', async () => {
    const { api, order, path } = await draftOf();
    const asText = new FormData();
    asText.set('kind', 'loa');
    asText.set('file', '%PDF-1.4');
    const twoFiles = new FormData();
    twoFiles.set('kind', 'loa');
    for (const name of ['a.pdf', 'b.pdf']) twoFiles.append('file', new File([new Uint8Array(PDF)], name));
    const bare = new FormData();
    bare.set('kind', 'loa');

    expect((await upload(api, order.id, { kind: null })).body.kind).to.deep.equal(['This field is required.']);
    expect((await upload(api, order.id, { kind: 'photo' })).body.kind).to.deep.equal(['Must be one of: loa, invoice.']);
    expect((await upload(api, order.id, { field: 'letter' })).body.letter).to.deep.equal(['Unknown field.']);
    expect((await sendForm(api, order.id, bare)).body.file).to.deep.equal(['This field is required.']);
    expect((await sendForm(api, order.id, asText)).body.file).to.deep.equal(['The submitted data was not a file.']);
    expect((await sendForm(api, order.id, twoFiles)).body.file).to.deep.equal(['Send one file at a time.']);
    expect((await api.post(`${path}documents/`, { kind: 'loa' })).status).to.equal(415);
    expect((await api.get(path)).body.documents).to.deep.equal([]);
  });

  it('takes 20 documents for an order', async () => {
    const { api, order } = await draftOf();
    const { db } = doors.door.platform;
    await upload(api, order.id);
    await db.raw(
      `insert into port_documents select gen_random_uuid(), port_order_id, kind, file_name, content_type, size, sha256,
         created_at from port_documents, generate_series(1, 18) where port_order_id = ?`,
      [order.id],
    );

    const last = await upload(api, order.id);
    const refused = await upload(api, order.id);

    expect(last.status).to.equal(201);
    expect(refused.body.file).to.deep.equal(['A port order may have 20 documents at most.']);
  });

  it('is added in draft and exception, and deleted in draft alone', async () => {
    const { api, order, path } = await draftOf();
    const { id } = (await upload(api, order.id)).body;
    const seen: Record<string, readonly [number, number]> = {};

    for (const status of [
      'submitted',
      'in_process',
      'foc_confirmed',
      'cancel_pending',
      'ported',
      'exception',
    ] as const) {
      await doors.place(order.id, status);
      seen[status] = [(await upload(api, order.id)).status, (await api.delete(`${path}documents/${id}/`)).status];
    }
    await doors.place(order.id, 'draft');
    const deleted = await api.delete(`${path}documents/${id}/`);

    expect(seen).to.deep.equal({
      ...{ submitted: [409, 409], in_process: [409, 409], foc_confirmed: [409, 409], cancel_pending: [409, 409] },
      ...{ ported: [409, 409], exception: [201, 409] },
    });
    expect(deleted.status).to.equal(204);
    expect((await api.get(`${path}documents/${id}/`)).status).to.equal(404);
    expect((await api.delete(`${path}documents/${id}/`)).status).to.equal(404);
    const { rows } = await doors.door.platform.db.raw('select 1 from port_document_contents where document_id = ?', [
      id,
    ]);
    expect(rows).to.deep.equal([]);
  });

  it('is read by operators, who neither add nor delete', async () => {
    const { api, order, path } = await draftOf();
    const { id } = (await upload(api, order.id)).body;
    const [operator, member] = [await doors.person('operator'), await doors.person('member', api.actor.accountId)];

    expect((await operator.fetch(`${path}documents/${id}/`)).status).to.equal(200);
    expect((await upload(operator, order.id)).body.code).to.equal('permission_denied');
    expect((await operator.delete(`${path}documents/${id}/`)).status).to.equal(403);
    expect((await member.fetch(`${path}documents/${id}/`)).status).to.equal(403);
    expect((await upload(member, order.id)).status).to.equal(403);
  });

  it('is not found by other accounts, nor under another order', async () => {
    const { api, order, path } = await draftOf();
    const [theirs, other] = [await draftOf(), await draftOf()];
    const { id } = (await upload(api, order.id)).body;
    const second = (await api.post(PORT_ORDERS, submittable())).body;

    expect((await theirs.api.get(`${path}documents/${id}/`)).status).to.equal(404);
    expect((await theirs.api.get(`${other.path}documents/${id}/`)).status).to.equal(404);
    expect((await theirs.api.get(`${theirs.path}documents/${id}/`)).status).to.equal(404);
    expect((await api.get(`${PORT_ORDERS}${second.id}/documents/${id}/`)).status).to.equal(404);
    expect((await upload(theirs.api, order.id)).status).to.equal(404);
  });

  it('is what lets an order be submitted: an invoice alone does not', async () => {
    const { api, order } = await draftOf();
    await upload(api, order.id, { kind: 'invoice' });

    const refused = await move(api, order.id, 'submitted');
    await upload(api, order.id, { kind: 'loa' });

    expect(refused.body).to.have.property('documents');
    expect((await move(api, order.id, 'submitted')).status).to.equal(200);
  });

  it('knows no type of what is none', () => {
    expect([PDF, PNG, JPEG].map(detectContentType)).to.deep.equal(['application/pdf', 'image/png', 'image/jpeg']);
    expect(detectContentType(Buffer.from('%PDF'))).to.equal(null);
  });

  const names: readonly (readonly [string, string])[] = [
    ['loa.pdf', 'loa.pdf'],
    ['LOA.PDF', 'LOA.pdf'],
    ['../../etc/passwd', 'passwd.pdf'],
    ['C:\\Users\\jane\\Letter.pdf', 'Letter.pdf'],
    ['letter.html', 'letter.html.pdf'],
    ['', 'loa.pdf'],
    ['....', 'loa.pdf'],
    ['.pdf', 'pdf.pdf'],
    ['a"b\r\nX-Evil: 1.pdf', 'abX-Evil 1.pdf'],
    ['nul\0l\u202efdp.exe', 'nullfdp.exe.pdf'],
    ['Vollmacht für Müller.pdf', 'Vollmacht für Müller.pdf'],
    [`${'x'.repeat(400)}.pdf`, `${'x'.repeat(150)}.pdf`],
  ];
  for (const [given, kept] of names) {
    it(`keeps ${JSON.stringify(given).slice(0, 40)} as ${kept.slice(0, 40)}`, () => {
      expect(safeFileName(given, 'loa', 'application/pdf')).to.equal(kept);
    });
  }

  it('names an attachment for everyone', () => {
    expect(attachment('für (1).pdf')).to.equal(
      'attachment; filename="f_r (1).pdf"; filename*=UTF-8\'\'f%C3%BCr%20%281%29.pdf',
    );
  });
});
