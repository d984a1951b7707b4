/**
 * Cranfield (public): 1,400 abstracts on aerodynamics with 225 queries. Query ids in the file run to 365; the judgements use
 * their ordinals, 1 to 225, and rows of grade 0 do not count.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { dataFile } from '../reference-data.ts';

export interface CranfieldDocument {
  readonly id: string;
  readonly text: string;
}

export function loadCranfieldDocuments(): readonly CranfieldDocument[] {
  const xml = gunzipSync(readFileSync(dataFile('retrieval/cran.all.1400.xml.gz'))).toString('utf8');
  return elements(xml, 'doc').map((body) => ({
    id: content(body, 'docno'),
    text: content(body, 'text') || content(body, 'title'),
  }));
}

export function loadCranfieldQueries(): readonly string[] {
  const xml = readFileSync(dataFile('retrieval/cran.qry.xml'), 'utf8');
  return elements(xml, 'top').map((body) => content(body, 'title'));
}

/** Positive judgements: document ids by ordinal of the query, from 1. */
export function loadCranfieldJudgements(): ReadonlyMap<number, ReadonlyMap<string, number>> {
  const judgements = new Map<number, Map<string, number>>();
  for (const line of readFileSync(dataFile('retrieval/cranqrel.trec.txt'), 'utf8').split('\n')) {
    const [query, , document, grade] = line.trim().split(/\s+/);
    if (document === undefined || Number(grade) <= 0) continue;
    const ordinal = Number(query);
    if (!judgements.has(ordinal)) judgements.set(ordinal, new Map());
    judgements.get(ordinal)!.set(document, Number(grade));
  }
  return judgements;
}

function elements(xml: string, name: string): string[] {
  return Array.from(xml.matchAll(new RegExp(`<${name}>([\\s\\S]*?)</${name}>`, 'g')), ([, body]) => body!);
}

function content(xml: string, name: string): string {
  return (elements(xml, name)[0] ?? '').replace(/\s+/g, ' ').trim();
}
