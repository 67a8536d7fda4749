import { expect } from 'chai';
import { Failure } from '../../src/simulator/failure.js';
import { helpText, readOptions } from '../../src/simulator/options.js';
import { SENDERS } from '../../src/simulator/senders/senders.js';
import { USUAL_MIX } from '../../src/simulator/stories.js';

function read(...args: string[]) {
  const options = readOptions(args);
  if (!options) throw new Error('Help was asked for.');
  return options;
}

describe('options of the simulator', () => {
  it('has a default for everything', () => {
    const { calls, rate, providers, mix, verify, login, url } = read();

    expect({ calls, rate, providers, mix, verify, login, url }).to.deep.equal({
      ...{ calls: 100, rate: 50, providers: ['twilio'], mix: USUAL_MIX, verify: false, login: null, url: null },
    });
  });

  it('reads what it is given', () => {
    const options = read(
      '--calls',
      '200',
      '--rate=0',
      '--duplicate',
      '20%',
      '--seed',
      'x',
      '--url',
      'http://h:1/',
      '--verify',
    );

    expect(options).to.include({ calls: 200, rate: 0, duplicate: 20, seed: 'x', url: 'http://h:1', verify: true });
  });

  it('follows the live channel only when it verifies', () => {
    expect(read().cuts).to.equal(null);
    expect(read('--verify', '--cuts', '50').cuts).to.equal(50);
    expect(() => read('--cuts', '50')).to.throw(Failure, '--verify');
    expect(() => read('--verify', '--cuts', '1.5')).to.throw(Failure, 'whole number');
  });

  it('knows one provider, some and all', () => {
    expect(read('--provider', 'telnyx').providers).to.deep.equal(['telnyx']);
    expect(read('--provider', 'telnyx, vonage').providers).to.deep.equal(['telnyx', 'vonage']);
    expect(read('--provider', 'all').providers).to.have.lengthOf(SENDERS.length);
  });

  it('reads a mix of outcomes, of directions, or of both', () => {
    expect(read('--mix', 'busy=1').mix).to.include({ busy: 1, answered: 0, inbound: 60, outbound: 40 });
    expect(read('--mix', 'outbound=1').mix).to.include({ answered: USUAL_MIX.answered, inbound: 0, outbound: 1 });
    expect(read('--mix', 'answered=3,missed=1,inbound=1').mix).to.include({
      answered: 3,
      missed: 1,
      inbound: 1,
      outbound: 0,
    });
  });

  for (const args of [
    ['--calls', '0'],
    ['--calls', '1.5'],
    ['--rate', 'fast'],
    ['--duplicate', '101'],
    ['--provider', 'acme'],
    ['--provider', ','],
    ['--mix', 'answered'],
    ['--mix', 'asleep=1'],
    ['--url', 'localhost:3000'],
    ['--username', 'me'],
    ['--colour', 'red'],
    ['extra'],
  ]) {
    it(`refuses ${args.join(' ')} with a sentence`, () => {
      expect(() => read(...args)).to.throw(Failure, /\S/);
    });
  }

  it('explains every option', () => {
    expect(readOptions(['--help'])).to.equal(null);
    for (const name of ['url', 'calls', 'rate', 'provider', 'mix', 'duplicate', 'reorder', 'lose', 'seed', 'verify']) {
      expect(helpText()).to.contain(`--${name}`);
    }
  });
});
