/** What stops the simulator for a reason that has a sentence: shown as it is, without a stack. */
export class Failure extends Error {}

export const sentence = (text: string): Failure => new Failure(text);
