import { beforeAll, describe, expect, it } from 'vitest';
import { type Marked, sitExam } from './exam-sitting.ts';
import { type ExamQuestion, REPORTED, STRANGE, TUNED_ON } from './help-exam.ts';

/** Least share of right answers in each half. */
const RIGHT_SHARE = 0.85;
/** Most wrong answers given with confidence, of all questions of a half, and of those that have no answer. */
const MISLEADING_SHARE = 0.05;
/** Least share of right answers that are called answers. */
const SURE_SHARE = 0.55;

const strange = (question: string): ExamQuestion => ({ question, documents: [], holds: [] });
const marks = new Map<string, Marked>();

beforeAll(async () => {
  const questions = [...TUNED_ON, ...REPORTED, ...[...STRANGE.tunedOn, ...STRANGE.reported].map(strange)];
  await sitExam(async (mark) => {
    for (const each of questions) marks.set(each.question, await mark(each));
  });
});

const marksOf = (questions: readonly string[]) => questions.map((question) => marks.get(question)!);
const lines = (marked: readonly Marked[]) =>
  marked.map(({ question, source, answer }) => `${question} → ${source}: ${answer.slice(0, 200)}`).join('\n');

describe.each([
  { half: 'tunedOn', questions: TUNED_ON, without: STRANGE.tunedOn },
  { half: 'reported', questions: REPORTED, without: STRANGE.reported },
])('the half $half', ({ questions, without }) => {
  const marked = () => marksOf(questions.map(({ question }) => question));

  it('is answered right, with the fact in what is quoted from the first source', () => {
    const wrong = marked().filter(({ right }) => !right);
    expect(1 - wrong.length / questions.length, lines(wrong)).toBeGreaterThanOrEqual(RIGHT_SHARE);
  });

  it('misleads hardly ever', () => {
    const misleading = marked().filter(({ right, confident }) => !right && confident);
    expect(misleading.length / questions.length, lines(misleading)).toBeLessThanOrEqual(MISLEADING_SHARE);
    const invented = marksOf(without).filter(({ confident }) => confident);
    expect(invented.length / without.length, lines(invented)).toBeLessThanOrEqual(MISLEADING_SHARE);
  });

  it('is sure of most of what is right', () => {
    const right = marked().filter((each) => each.right);
    expect(right.filter(({ confident }) => confident).length / right.length).toBeGreaterThanOrEqual(SURE_SHARE);
  });
});

describe('the exam', () => {
  it('has enough questions, each asked once and with a fact to look for', () => {
    expect(TUNED_ON.length + REPORTED.length).toBeGreaterThanOrEqual(60);
    expect(marks.size).toBe(TUNED_ON.length + REPORTED.length + STRANGE.tunedOn.length + STRANGE.reported.length);
    for (const { documents, holds } of [...TUNED_ON, ...REPORTED])
      expect([documents.length, holds.length]).not.toContain(0);
  });
});
