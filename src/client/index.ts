/** `switchboard/client`: the live channel for browsers and Node. See docs/live.md. */
export { connectLive } from './live-client.js';
export {
  type Call,
  type CallEvent,
  type CallEventType,
  type CallFilter,
  type CallRemoved,
  type LiveClient,
  LiveError,
  type LiveListeners,
  type LiveOptions,
} from './types.js';
