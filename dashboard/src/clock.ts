/** Time in the page, in one place: what waits or asks for the time takes a `Clock`, so a test can move it. */

export interface Clock {
  nowMs(): number;
  /** Calls back once; the returned function cancels, and is harmless afterwards. */
  after(delayMs: number, callback: () => void): () => void;
}

export const browserClock: Clock = {
  nowMs: () => Date.now(),
  after(delayMs, callback) {
    const handle = setTimeout(callback, delayMs);
    return () => clearTimeout(handle);
  },
};
