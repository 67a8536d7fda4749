import type Joi from 'joi';
import { toJsonSchema } from '../../http/json-schema.js';
import {
  acknowledgement,
  authenticateMessage,
  handshakeAuth,
  serverMessages,
  subscribeMessage,
} from './live.schema.js';

const clientMessages: Readonly<Record<string, Joi.Schema>> = {
  subscribe: subscribeMessage,
  authenticate: authenticateMessage,
};

const refTo = (name: string): { $ref: string } => ({ $ref: `#/channels/live/messages/${name}` });
const nameOf = (message: string): string => message.replace('.', '_');

function messagesOf(schemas: Readonly<Record<string, Joi.Schema>>, contentType = 'application/json') {
  return Object.entries(schemas).map(([name, schema]) => {
    const payload = toJsonSchema(schema);
    return [
      nameOf(name),
      { name, contentType, ...(payload.description ? { summary: payload.description } : {}), payload },
    ];
  });
}

/** The live channel as an AsyncAPI 3.0 document, made from the schemas that check the messages. */
export function describeLive(): Record<string, unknown> {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Switchboard live channel',
      version: '1',
      description:
        'Socket.IO 4, namespace `/live`, path `/socket.io/`. The handshake carries `auth` (see `x-handshake-auth` of ' +
        'the channel); a bad one is answered by `connect_error` with `data.code`.',
    },
    defaultContentType: 'application/json',
    channels: {
      live: {
        address: '/live',
        title: 'Calls, live',
        messages: Object.fromEntries([
          ...messagesOf(serverMessages),
          ...messagesOf(clientMessages),
          ...messagesOf({ acknowledgement }),
        ]),
        'x-handshake-auth': toJsonSchema(handshakeAuth),
      },
    },
    operations: {
      receiveEvents: {
        action: 'send',
        channel: { $ref: '#/channels/live' },
        summary: 'What the server sends.',
        messages: Object.keys(serverMessages).map((name) => refTo(nameOf(name))),
      },
      ...Object.fromEntries(
        Object.keys(clientMessages).map((name) => [
          name,
          {
            action: 'receive',
            channel: { $ref: '#/channels/live' },
            messages: [refTo(name)],
            reply: { channel: { $ref: '#/channels/live' }, messages: [refTo('acknowledgement')] },
          },
        ]),
      ),
    },
  };
}
