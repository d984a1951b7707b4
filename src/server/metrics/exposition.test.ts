import { describe, expect, it } from 'vitest';
import { exposition, type Family } from './exposition.ts';

const family = (changes: Partial<Family>): Family => ({
  name: 'tenure_things',
  help: 'Things.',
  type: 'gauge',
  samples: [{ value: 1 }],
  ...changes,
});

describe('the text format', () => {
  it('writes help, type and one line a sample', () => {
    const samples = [
      { labels: { pool: 'llm', state: 'idle' }, value: 3 },
      { labels: { pool: 'http' }, value: 0.25 },
    ];
    expect(exposition([family({ samples }), family({ name: 'tenure_others', type: 'counter' })])).toBe(
      [
        '# HELP tenure_things Things.',
        '# TYPE tenure_things gauge',
        'tenure_things{pool="llm",state="idle"} 3',
        'tenure_things{pool="http"} 0.25',
        '# HELP tenure_others Things.',
        '# TYPE tenure_others counter',
        'tenure_others 1',
        '',
      ].join('\n'),
    );
  });

  it('escapes what a user may have named, and help', () => {
    const text = exposition([
      family({ help: 'One\\two\nthree "four"', samples: [{ labels: { name: 'a"b\\c\nd' }, value: 1 }] }),
    ]);
    expect(text).toContain('# HELP tenure_things One\\\\two\\nthree "four"\n');
    expect(text).toContain('tenure_things{name="a\\"b\\\\c\\nd"} 1\n');
  });

  it('leaves out what is not known, and writes what is no finite number as the format does', () => {
    const samples = [undefined, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map((value, n) => {
      return { labels: { n: String(n) }, value };
    });
    const text = exposition([family({ samples }), family({ name: 'tenure_unknown', samples: [{ value: undefined }] })]);
    expect(text.split('\n').slice(2)).toEqual([
      'tenure_things{n="1"} NaN',
      'tenure_things{n="2"} +Inf',
      'tenure_things{n="3"} -Inf',
      '',
    ]);
  });

  it.each([
    { name: 'Tenure' },
    { name: '1st' },
    { name: 'with space' },
    { samples: [{ labels: { 'no-label': 'x' }, value: 1 }] },
  ])('throws for a name that breaks it: %o', (changes) => {
    expect(() => exposition([family(changes)])).toThrow('misnamed');
  });

  it('throws for a family written twice', () => {
    expect(() => exposition([family({}), family({})])).toThrow('written twice');
  });
});
