/** The question box of the help agent. */
import { useRef } from 'preact/hooks';
import { formatDuration } from '../format.ts';
import { status } from '../state/node.ts';
import { asked, cancel, put } from '../state/question.ts';
import type { Answer, AnswerSource } from '../wire.ts';
import { Failure } from './failure.tsx';
import { Prose } from './prose.tsx';

/** The server refuses longer questions; the box does not let them be typed. */
const LONGEST = 16_384;

export function Question() {
  const box = useRef<HTMLInputElement>(null);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const question = box.current!.value.trim();
    if (question) void put(question);
  };
  return (
    <section aria-labelledby="ask">
      <h2 id="ask">Ask the help agent</h2>
      <form class="ask" onSubmit={submit}>
        <input
          id="question"
          ref={box}
          type="text"
          enterkeyhint="search"
          maxLength={LONGEST}
          autocomplete="off"
          aria-label="Your question"
          placeholder="How do I set a busy timeout?"
        />
        <button type="submit" class="strong">
          Ask
        </button>
      </form>
      <Outcome />
    </section>
  );
}

function Outcome() {
  const { value } = asked;
  if (value.state === 'asking') {
    return (
      <div class="outcome" aria-busy="true">
        <p class="lead">Looking for “{value.question}”…</p>
        <button type="button" class="quiet" onClick={cancel}>
          Cancel
        </button>
      </div>
    );
  }
  if (value.state === 'failed') {
    return (
      <div class="outcome">
        <Failure what="The question was not answered." error={value.error} retry={() => void put(value.question)} />
      </div>
    );
  }
  if (value.state === 'answered') return <Found question={value.question} answer={value.answer} />;
  const memories = status.value?.store.memories;
  return (
    <p class="empty">
      {memories === 0 ? (
        <>
          Nothing has been learned yet. Give it documents with <code>tenure ingest docs/</code>, then ask.
        </>
      ) : (
        'Answers are quoted from the documents and conversations it was given, with their sources.'
      )}
    </p>
  );
}

function Found({ question, answer }: { question: string; answer: Answer }) {
  if (answer.sources.length === 0) {
    return (
      <div class="outcome">
        <p class="empty">Nothing was found for “{question}”. Try other words, or the words the documents use.</p>
      </div>
    );
  }
  return (
    <div class="outcome">
      {!answer.confident && (
        <p class="unsure">
          <b>Not sure.</b> The best passage holds only part of what you asked for.
        </p>
      )}
      {answer.fromOwnDocumentation && (
        <p class="lead">From Tenure’s own documentation; nothing you gave it covers the question.</p>
      )}
      <blockquote class="answer">
        <Prose text={answer.answer} />
      </blockquote>
      <h3>
        Sources <small>found in {formatDuration(answer.tookMs)}</small>
      </h3>
      <ol class="sources">
        {answer.sources.map((source) => (
          <Source key={source.memoryId} source={source} />
        ))}
      </ol>
    </div>
  );
}

function Source({ source }: { source: AnswerSource }) {
  const place = [source.path, source.heading].filter((part) => part && part !== source.title).join(' › ');
  return (
    <li>
      <p class="source-title">
        <b>{source.title}</b> <span class="source-score">score {source.score.toFixed(2)}</span>
      </p>
      {place && <p class="source-place">{place}</p>}
      <p class="source-excerpt">{source.excerpt}</p>
      {source.why.length > 0 && (
        <details class="why">
          <summary>Why this source</summary>
          <ul>
            {source.why.map(({ signal, detail, weight }) => (
              <li key={signal}>
                <b>{Math.round(weight * 100)} %</b> {detail}
              </li>
            ))}
          </ul>
        </details>
      )}
    </li>
  );
}
