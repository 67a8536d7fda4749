import { expect } from 'chai';
import { describeLive } from '../../../src/features/live/index.js';
import { checkMessage, serverMessages, subscribeMessage } from '../../../src/features/live/live.schema.js';

// biome-ignore lint/suspicious/noExplicitAny: a document is looked into by path
const document = describeLive() as any;

describe('AsyncAPI document', () => {
  it('describes every message of both sides with its payload', () => {
    const names = Object.values(document.channels.live.messages).map((message) => (message as { name: string }).name);

    expect(names).to.include.members([...Object.keys(serverMessages), 'subscribe', 'authenticate', 'acknowledgement']);
    for (const message of Object.values(document.channels.live.messages) as { payload: object }[]) {
      expect(message.payload).to.be.an('object').and.not.empty;
    }
  });

  it('points only to messages that there are', () => {
    const operations = Object.values(document.operations) as {
      messages: { $ref: string }[];
      reply?: { messages: { $ref: string }[] };
    }[];
    const refs = operations.flatMap(({ messages, reply }) => [...messages, ...(reply?.messages ?? [])]);

    for (const { $ref } of refs) {
      expect(document.channels.live.messages).to.have.property($ref.split('/').at(-1) ?? '');
    }
  });

  it('says what a token is', () => {
    const { messages, 'x-handshake-auth': auth } = document.channels.live;

    expect(messages.authenticate.payload.properties.token).to.include({ type: 'string' });
    expect(auth.properties.token).to.include({ type: 'string' });
  });

  it('lets the filter through that it describes', () => {
    const { properties } = document.channels.live.messages.subscribe.payload;

    expect(Object.keys(properties)).to.have.members(['virtual_number_ids', 'user_ids', 'directions', 'types', 'tags']);
    expect(checkMessage(subscribeMessage, { directions: ['incoming'] })).to.deep.equal({ directions: ['incoming'] });
  });
});
