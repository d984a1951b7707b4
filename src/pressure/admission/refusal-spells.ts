/**
 * Refusals as spells: when work began to be refused for a reason, how often it was, and when that was over.
 *
 * A spell is over when nothing was refused for that reason for ten seconds; its length, from the first refusal to the last, is
 * remembered, for how long the next may last.
 */
import type { RefusalReason } from './admission-events.ts';

const QUIET_MS = 10_000;
/** What the newest spell adds to the mean of those before. */
const NEWEST_SHARE = 0.3;

/** An open circuit is the same spell as the lack of room that opened it. */
export type SpellReason = Exclude<RefusalReason, 'circuit_open'>;

export interface EndedSpell {
  readonly reason: SpellReason;
  readonly refused: number;
  readonly lastedMs: number;
}

interface Spell {
  readonly startedMs: number;
  lastMs: number;
  refused: number;
}

export class RefusalSpells {
  readonly #spells = new Map<SpellReason, Spell>();
  readonly #meanMs = new Map<SpellReason, number>();

  /** True while any spell lasts. */
  get areOn(): boolean {
    return this.#spells.size > 0;
  }

  /** Something was refused. True when a spell begins with it. */
  note(reason: SpellReason, nowMs: number): boolean {
    const spell = this.#spells.get(reason);
    if (spell === undefined) {
      this.#spells.set(reason, { startedMs: nowMs, lastMs: nowMs, refused: 1 });
      return true;
    }
    spell.lastMs = nowMs;
    spell.refused++;
    return false;
  }

  /** How long the spell has lasted; 0 where there is none. */
  elapsedMs(reason: SpellReason, nowMs: number): number {
    return nowMs - (this.#spells.get(reason)?.startedMs ?? nowMs);
  }

  /** Mean length of earlier spells; 0 before the first has ended. */
  meanMs(reason: SpellReason): number {
    return this.#meanMs.get(reason) ?? 0;
  }

  /** Ends the spells in which nothing has been refused for long enough. */
  endQuiet(nowMs: number): EndedSpell[] {
    const ended: EndedSpell[] = [];
    for (const [reason, { startedMs, lastMs, refused }] of this.#spells) {
      if (nowMs - lastMs < QUIET_MS) continue;
      this.#spells.delete(reason);
      const lastedMs = lastMs - startedMs;
      const meanMs = this.#meanMs.get(reason);
      this.#meanMs.set(reason, meanMs === undefined ? lastedMs : meanMs + NEWEST_SHARE * (lastedMs - meanMs));
      ended.push({ reason, refused, lastedMs });
    }
    return ended;
  }
}
