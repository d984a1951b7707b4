import { describe, expect, it } from 'vitest';
import { requireKnownOptions } from './known-options.ts';

const of = { call: 'open', known: ['directory', 'configuration', 'clock'] };

describe('requireKnownOptions', () => {
  it('takes what is known, and nothing', () => {
    expect(() => requireKnownOptions({ directory: 'x', clock: undefined }, of)).not.toThrow();
    expect(() => requireKnownOptions({}, of)).not.toThrow();
  });

  it.each([
    ['dir', 'Did you mean directory?'],
    ['directroy', 'Did you mean directory?'],
    ['clocks', 'Did you mean clock?'],
    ['path', 'there are directory, configuration, clock.'],
  ])('refuses %s and names what was meant', (option, words) => {
    expect(() => requireKnownOptions({ [option]: '/x' }, of)).toThrow(
      expect.objectContaining({ code: 'INVALID_ARGUMENT', message: expect.stringContaining(words) }),
    );
  });

  it('refuses what is no object', () => {
    for (const options of [null, './data', 7]) {
      expect(() => requireKnownOptions(options as unknown as object, of)).toThrow('must be an object');
    }
  });
});
