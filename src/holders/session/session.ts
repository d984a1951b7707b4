/** A session as its readers get it. */

/** One state of a session: a snapshot that later changes leave alone. Value and items are frozen. */
export interface Session<V = unknown, I = unknown> {
  readonly id: string;
  /** Whoever is charged for it; null for nobody. */
  readonly owner: string | null;
  /** Larger by one with every change. Hand it to `update` to be refused if somebody else changed the session meanwhile. */
  readonly version: number;
  readonly value: V;
  /** What was appended, oldest first. */
  readonly items: readonly I[];
  /** Wall time, in milliseconds. */
  readonly createdAtMs: number;
  /** Wall time at which it expires unless it is used before. */
  readonly expiresAtMs: number;
}

/** A session in a list: what is known without reading it. */
export interface SessionInfo {
  readonly id: string;
  readonly owner: string | null;
  readonly version: number;
  readonly itemCount: number;
  /** Value and items as they are kept on the disk. */
  readonly storedBytes: number;
  readonly createdAtMs: number;
  /** Last use that reached the disk; behind by a hundredth of its life at most. */
  readonly usedAtMs: number;
  readonly expiresAtMs: number;
  /** It is in memory as well. */
  readonly isLive: boolean;
}
