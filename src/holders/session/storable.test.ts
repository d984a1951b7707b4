import { describe, expect, it } from 'vitest';
import { SessionCoder } from './codec.ts';
import { requireStorable } from './storable.ts';

const check = (value: unknown) => requireStorable(value, { name: 'value', mostValues: 1_000 });

describe('what can be kept as JSON', () => {
  it.each([
    [null],
    ['text'],
    [[1, [true, { a: {} }]]],
    [{ a: undefined, b: 1 }],
    [Object.assign(Object.create(null), { a: 1 })],
    [{ at: new Date(0) }],
  ])('is taken: %j', (value) => {
    expect(() => check(value)).not.toThrow();
  });

  const cycle: { a: { b: unknown }[] } = { a: [{ b: null }] };
  cycle.a[0]!.b = cycle;
  it.each<[string, unknown]>([
    ['value is undefined', undefined],
    ['value is NaN', Number.NaN],
    ['value.price is Infinity', { price: Number.POSITIVE_INFINITY }],
    ['value.cart[1].total is a BigInt', { cart: [{}, { total: 5n }] }],
    ['value.done is a function', { done: () => {} }],
    ['value.tag is a symbol', { tag: Symbol('x') }],
    ['value[0] is undefined', [undefined]],
    ['value[1] is undefined', Object.assign([1], { length: 3 })],
    ['value["a b"] is a Map', { 'a b': new Map() }],
    ['value.bytes is a Buffer', { bytes: Buffer.of(1) }],
    ['value.it is a Mine', { it: new (class Mine {})() }],
    ['contains itself', cycle],
    ['holds more than 1000 values', Array.from({ length: 2_000 }, () => 1)],
  ])('is not: %s', (message, value) => {
    expect(() => check(value)).toThrow(
      expect.objectContaining({ code: 'SESSION_VALUE', message: expect.stringContaining(message) }),
    );
  });

  it('is not nested without end, and the refusal is short', () => {
    let deep: unknown = 1;
    for (let level = 0; level < 600; level++) deep = { deep };
    expect(() => check(deep)).toThrow('nested more than 500 levels deep');
    expect(() => check(cycle)).toThrow(expect.objectContaining({ message: expect.stringMatching(/^.{0,400}$/) }));
  });

  it('is not a few values that stand for billions', () => {
    let shared: unknown = [];
    for (let level = 0; level < 100; level++) shared = [shared, shared];
    expect(() => check(shared)).toThrow('holds more than');
  });
});

describe('a codec', () => {
  const coder = (encode: (value: unknown) => unknown, decode: (bytes: Uint8Array) => unknown) =>
    new SessionCoder({ codec: { encode, decode } as never, maxBytes: 1_000 });
  const fails = () => {
    throw new Error('broken');
  };

  it.each<[string, SessionCoder]>([
    ['refused the value', coder(fails, () => 1)],
    [
      'returned no Uint8Array',
      coder(
        () => 'text',
        () => 1,
      ),
    ],
    [
      'returned no Uint8Array',
      coder(
        () => undefined,
        () => 1,
      ),
    ],
    ['does not decode what it has encoded', coder(() => Uint8Array.of(1), fails)],
  ])('that %s is told when a session is written', (problem, broken) => {
    expect(() => broken.encode('a', {}, 'value')).toThrow(
      expect.objectContaining({ code: 'SESSION_CODEC', message: expect.stringContaining(problem) }),
    );
  });

  it('that fails when a session is read is told as damage', async () => {
    await expect(
      coder(() => Uint8Array.of(1), fails).decode('a', { form: 'plain', bytes: Uint8Array.of(1) }),
    ).rejects.toMatchObject({
      code: 'SESSION_DAMAGED',
    });
  });

  it('cannot unfold a few bytes to more than a session may have', async () => {
    const json = new SessionCoder({ codec: undefined, maxBytes: 1_000 });
    const packed = await new SessionCoder({ codec: undefined, maxBytes: 10_000 }).pack(
      Buffer.from(`"${'x'.repeat(5_000)}"`),
    );
    expect(packed.bytes.byteLength).toBeLessThan(100);
    await expect(json.decode('a', packed)).rejects.toMatchObject({ code: 'SESSION_DAMAGED' });
  });
});
