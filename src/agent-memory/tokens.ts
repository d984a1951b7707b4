/**
 * How many tokens a text will cost a language model, without a tokenizer.
 *
 * "Characters over four" is wrong by half on Chinese and on logs. Counting by kind of character is not: letters make long
 * tokens, digits and punctuation short ones, and scripts without spaces about one a character. Errs a little high, so that a
 * text said to fit does fit.
 */

const KINDS: readonly { pattern: RegExp; tokens: (run: string) => number }[] = [
  { pattern: /[a-z]+/gi, tokens: (run) => Math.ceil(run.length / 7) },
  { pattern: /\p{N}+/gu, tokens: (run) => Math.ceil(run.length / 3) },
  { pattern: /[^\p{L}\p{N}\s]/gu, tokens: () => 1 },
  { pattern: /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}]/gu, tokens: () => 1.1 },
  {
    pattern: /(?:(?![a-z\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{sc=Thai}])\p{L})+/giu,
    tokens: (run) => Math.ceil(run.length / 2.5),
  },
  { pattern: /\n+/g, tokens: () => 1 },
];

/** Estimated tokens of `text`; at least 1 for any text that is not empty. */
export function estimateTokens(text: string): number {
  if (text === '') return 0;
  let tokens = 0;
  for (const { pattern, tokens: cost } of KINDS) {
    for (const [run] of text.matchAll(pattern)) tokens += cost(run);
  }
  return Math.max(1, Math.ceil(tokens));
}
