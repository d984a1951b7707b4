/**
 * Text to terms: what full-text search compares.
 *
 * Words are runs of letters and digits, case and accents folded, English function words dropped, English words reduced to
 * their Porter stem ("budgets" finds "budget"). Scripts written without spaces — Han, kana, Hangul, Thai, Lao, Khmer,
 * Burmese — become overlapping pairs of characters, which need no dictionary. An emoji is a word. Documents and questions go
 * through the same function; a question may therefore be any text at all: quotes and operators mean nothing here.
 *
 * Takes tens of milliseconds at most for a text as long as one memory may be, whatever it holds. Normalising sorts each run of combining
 * marks, which takes time with the square of its length; so a run is cut at the 30 marks of the Stream-Safe Text Format, more than
 * any language writes.
 *
 * Sources: M. F. Porter, "An algorithm for suffix stripping", 1980, and "Snowball", 2001; character pairs for CJK as in Lucene's
 * CJKAnalyzer; Unicode Standard Annex 15, section 13.
 */
import { stemmer } from 'stemmer';
import { STOP_WORDS } from './stop-words.ts';

const UNSPACED =
  '\\p{sc=Han}\\p{sc=Hiragana}\\p{sc=Katakana}\\p{sc=Hangul}\\p{sc=Thai}\\p{sc=Lao}\\p{sc=Khmer}\\p{sc=Myanmar}';

const TOKEN = new RegExp(
  `[${UNSPACED}\u30fc]+|(?:(?![${UNSPACED}])[\\p{L}\\p{N}\\p{M}])+|\\p{Extended_Pictographic}`,
  'gu',
);
const STARTS_UNSPACED = new RegExp(`^[${UNSPACED}]`, 'u');
/** Accents of Latin, Greek and Cyrillic; vowel points of Hebrew and Arabic. Marks of other scripts are letters. */
const ACCENTS = /[\u0300-\u036f\u0591-\u05c7\u064b-\u065f]+/gu;
/** A run of more than 30 marks. The two half-width sound marks of kana are letters that become marks when normalised. */
const ENDLESS_MARKS = /([\p{M}\uff9e\uff9f]{30})[\p{M}\uff9e\uff9f]+/gu;
const LATIN_WORD = /^[a-z]+$/;
const AFTER_VOWEL = /[aeiou]i$/;
const BEYOND_ASCII = /[\u0080-\uffff]/;

/** Longest word kept whole; what follows is cut, so that a megabyte without spaces is still one small term. */
const TERM_LIMIT = 64;

/** The terms of `text` in order of occurrence, repeats included. */
export function analyze(text: string): string[] {
  const terms: string[] = [];
  const stems = new Map<string, string>();
  for (const token of fold(text).match(TOKEN) ?? []) {
    if (STARTS_UNSPACED.test(token)) addPairs(terms, token);
    else if (!STOP_WORDS.has(token)) {
      const stem = stems.get(token) ?? stemOf(token.slice(0, TERM_LIMIT));
      stems.set(token, stem);
      terms.push(stem);
    }
  }
  return terms;
}

/** The words of `text` as a person would say them: folded, not stemmed, function words included. */
export function wordsOf(text: string): string[] {
  return fold(text).match(TOKEN) ?? [];
}

/** How often each term occurs. */
export function countTerms(terms: Iterable<string>): Map<string, number> {
  const counts = new Map<string, number>();
  for (const term of terms) counts.set(term, (counts.get(term) ?? 0) + 1);
  return counts;
}

function fold(text: string): string {
  const lower = text.toLowerCase();
  if (!BEYOND_ASCII.test(lower)) return lower;
  return lower.replace(ENDLESS_MARKS, '$1').normalize('NFKD').replace(ACCENTS, '').normalize('NFC');
}

function stemOf(word: string): string {
  if (word.length < 3 || !LATIN_WORD.test(word)) return word;
  const stem = stemmer(word);
  // As Porter mended it himself in 2001: after a vowel, y stays, or "deploys" would not find "deployment".
  const withY = AFTER_VOWEL.test(stem) ? `${stem.slice(0, -1)}y` : stem;
  return word.startsWith(withY) ? withY : stem;
}

function addPairs(terms: string[], run: string): void {
  const characters = Array.from(run);
  if (characters.length === 1) terms.push(run);
  for (let index = 1; index < characters.length; index++) terms.push(characters[index - 1]! + characters[index]!);
}
