/**
 * LoCoMo (Maharana et al., ACL 2024, CC BY-NC 4.0; not shipped): conversations between two people over months, with questions
 * and the turns that answer them. The reference data folder holds five of the ten conversations.
 */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { dataFile } from '../reference-data.ts';

export interface Turn {
  /** `D3:7`: the seventh turn of the third session. */
  readonly id: string;
  readonly session: string;
  readonly atMs: number;
  readonly speaker: string;
  /** What was said, and what a shared picture shows. */
  readonly text: string;
}

export interface Question {
  readonly text: string;
  readonly category: number;
  /** Ids of the turns that answer it; never empty. */
  readonly evidence: readonly string[];
}

export interface Conversation {
  readonly id: string;
  readonly turns: readonly Turn[];
  readonly questions: readonly Question[];
}

/** Parameters are tuned on these two and nothing else. */
export const TUNING = ['conv-26', 'conv-30'];
/** Results are reported on these three. */
export const REPORTED = ['conv-41', 'conv-42', 'conv-43'];

interface RawTurn {
  readonly dia_id: string;
  readonly speaker: string;
  readonly text: string;
  readonly blip_caption?: string;
}

interface RawConversation {
  readonly sample_id: string;
  readonly conversation: Readonly<Record<string, unknown>>;
  readonly qa: readonly { question: string; category: number; evidence?: readonly unknown[] }[];
}

export function loadLocomo(): readonly Conversation[] {
  const bytes = readFileSync(dataFile('retrieval/locomo-dev5.json.gz'));
  return (JSON.parse(gunzipSync(bytes).toString('utf8')) as RawConversation[]).map((raw) => {
    const turns = Object.keys(raw.conversation)
      .flatMap((key) => (/^session_\d+$/.test(key) ? [Number(key.slice('session_'.length))] : []))
      .sort((one, other) => one - other)
      .flatMap((number) => sessionTurns(raw, number));
    const known = new Set(turns.map(({ id }) => id));
    const questions = raw.qa.map(({ question, category, evidence = [] }) => ({
      text: question,
      category,
      evidence: [...new Set(evidence.flatMap(turnIds))].filter((id) => known.has(id)),
    }));
    return { id: raw.sample_id, turns, questions: questions.filter(({ evidence }) => evidence.length > 0) };
  });
}

function sessionTurns(raw: RawConversation, number: number): Turn[] {
  const session = `session_${number}`;
  const atMs = parseDate(String(raw.conversation[`${session}_date_time`]));
  return (raw.conversation[session] as RawTurn[]).map((turn) => ({
    id: turn.dia_id,
    session,
    atMs,
    speaker: turn.speaker,
    text: turn.blip_caption ? `${turn.text} [shares ${turn.blip_caption}]` : turn.text,
  }));
}

/** `1:56 pm on 8 May, 2023`, taken as UTC. */
function parseDate(text: string): number {
  const match = /^(\d+):(\d+) (am|pm) on (\d+) (\w+), (\d+)$/.exec(text);
  if (!match) throw new Error(`LoCoMo: cannot read the date "${text}".`);
  const [, hour, minute, half, day, month, year] = match;
  const hours = (Number(hour) % 12) + (half === 'pm' ? 12 : 0);
  return Date.parse(`${day} ${month} ${year} ${String(hours).padStart(2, '0')}:${minute}:00 UTC`);
}

/** Evidence is written by hand: `D1:3`, `D:1:3`, `D1:03`, several to a string. */
function turnIds(evidence: unknown): string[] {
  return String(evidence)
    .replace(/[()]/g, '')
    .split(/[;,\s]+/)
    .flatMap((part) => {
      const match = /^D:?(\d+):0*(\d+)$/.exec(part);
      return match ? [`D${match[1]}:${match[2]}`] : [];
    });
}
