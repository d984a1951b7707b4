/** A handle on a session for the length of a request: it stays in memory meanwhile, and changes go through the handle's own version. */
import type { Session } from './session.ts';
import type { ChangeOptions, SessionChanges, SessionUpdate } from './session-calls.ts';

/** Made by `SessionPool.open`. Its fields are those of the session as this handle has read or written it last. */
export class OpenSession<V = unknown, I = unknown> implements AsyncDisposable, Disposable {
  /** Nobody can close a handle any more that was dropped: its session may leave memory then. */
  static readonly #dropped = new FinalizationRegistry<() => void>((unpin) => unpin());
  readonly #pool: SessionChanges<V, I>;
  #session: Session<V, I>;
  #unpin: (() => void) | null;

  /** @internal */
  constructor(options: { pool: SessionChanges<V, I>; session: Session<V, I>; unpin: () => void }) {
    this.#pool = options.pool;
    this.#session = options.session;
    this.#unpin = options.unpin;
    OpenSession.#dropped.register(this, options.unpin, this);
  }

  get id(): string {
    return this.#session.id;
  }

  get version(): number {
    return this.#session.version;
  }

  /** Frozen; `update` changes it. */
  get value(): V {
    return this.#session.value;
  }

  get items(): readonly I[] {
    return this.#session.items;
  }

  /** All of it as data. */
  get session(): Session<V, I> {
    return this.#session;
  }

  /**
   * As `SessionPool.update`. A value is made from the version this handle has, so it is refused, or merged, when somebody else has changed
   * the session since.
   */
  async update(change: V | SessionUpdate<V, I>, options: ChangeOptions = {}): Promise<this> {
    const from = typeof change === 'function' ? {} : { version: this.version };
    this.#session = await this.#pool.update(this.id, change, { ...from, ...options });
    return this;
  }

  /** As `SessionPool.append`. */
  async append(items: readonly I[], options: ChangeOptions = {}): Promise<this> {
    this.#session = await this.#pool.append(this.id, items, options);
    return this;
  }

  /** As `SessionPool.destroy`; the handle ends with it. */
  async destroy(): Promise<boolean> {
    const wasThere = await this.#pool.destroy(this.id);
    this.close();
    return wasThere;
  }

  /** Lets the session leave memory again. Closing twice is harmless; what was changed is kept already. */
  close(): void {
    if (this.#unpin === null) return;
    OpenSession.#dropped.unregister(this);
    this.#unpin();
    this.#unpin = null;
  }

  [Symbol.dispose](): void {
    this.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}
