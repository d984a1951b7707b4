/**
 * The load generator: replays the plan against a server, open loop, then asks for everything that was acknowledged.
 *
 * *Open loop*: a request leaves when the trace says so, whatever became of those before it, as users do who do not know of each other. Its
 * latency counts from when it was due, so a server that stalls is charged for those it kept waiting (no coordinated omission).
 *
 * *Acknowledged*: a turn is when the chat was answered with 200, a session when the login was. After the replay each is asked for (turns
 * are sampled if there are very many) and compared with what was sent. A session that the server has forgotten during the replay is
 * lost, too; its user logs in again, as people do.
 *
 * Asked for a number of users, it runs a *closed loop* instead: so many requests at a time, in the order of the trace.
 *
 * Started as `node load.mjs <options as JSON>`; prints `{"replayed": …}` when the replay is over, reads a line, then prints `{"verified": …}`.
 */
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { crc32 } from 'node:zlib';
import { Client } from './client.mjs';
import { chatBody, contextText, fileText, planTurns, questionText, seededRandom } from './workload.mjs';

const VERIFIED_TURNS = 4_000;
const VERIFIERS = 4;
const REFUSAL_WAIT_MS = 200;
/** A server that refuses for longer than this is not asked any more; what it did not answer for is told apart from what it lost. */
const REFUSAL_PATIENCE_MS = 30_000;

const options = JSON.parse(process.argv[2]);
const client = new Client(options);
/** Cookies of the users who have logged in, or the login that is under way. */
const logins = new Map();
/** Checksum of the answer for each acknowledged turn. */
const acknowledged = new Map();
const outcomes = { served: 0, refused: 0, failed: 0 };
const reasons = {};
const latenciesMs = [];
const found = { hits: 0, lookups: 0 };
const sessions = { acknowledged: 0, lost: 0 };
let refusedForMs = 0;

const turns = planTurns(options);
const startedMs = performance.now();
await replay();
console.log(JSON.stringify({ replayed: results() }));
await once(process.stdin, 'data');
console.log(JSON.stringify({ verified: await verify() }));
client.close();
process.stdin.destroy();

async function replay() {
  if (options.users !== undefined) return replayClosed(options.users);
  const running = [];
  for (const turn of turns) {
    const dueMs = startedMs + turn.atMs;
    const waitMs = dueMs - performance.now();
    if (waitMs > 0) await pause(waitMs);
    running.push(chat(turn, dueMs));
  }
  await Promise.all(running);
}

/** As fast as it goes with so many requests at a time: for throughput, not for latency. */
async function replayClosed(users) {
  const rest = turns.values();
  await Promise.all(
    Array.from({ length: users }, async () => {
      for (const turn of rest) await chat(turn, performance.now());
    }),
  );
}

async function chat(turn, dueMs) {
  const question = questionText(turn.topic);
  const body = chatBody(turn);
  const reply = await whileLoggedIn(turn.user, (cookie) => client.ask('/chat', { body, cookie }));
  const rightly = reply.outcome !== 'served' || reply.body.answer.includes(question);
  const outcome = rightly && reply.outcome !== 'gone' ? reply.outcome : 'failed';
  outcomes[outcome]++;
  if (outcome === 'failed') {
    const why = reply.why ?? 'wrong answer';
    reasons[why] = (reasons[why] ?? 0) + 1;
  }
  if (outcome !== 'served') return;
  latenciesMs.push(performance.now() - dueMs);
  acknowledged.set(turn, crc32(reply.body.answer));
  found.hits += reply.body.found.hits;
  found.lookups += reply.body.found.lookups;
}

/** Does something as a user; logs in before if need be, and again once where the server has forgotten the session. */
async function whileLoggedIn(user, act) {
  for (let attempt = 1; ; attempt++) {
    const login = logins.get(user) ?? logIn(user);
    const { cookie, ...reply } = await login;
    if (cookie === undefined) return reply;
    const answer = await act(cookie);
    if (answer.outcome !== 'gone' || attempt === 2) return answer;
    if (logins.get(user) === login) {
      logins.delete(user);
      sessions.lost++;
    }
  }
}

function logIn(user) {
  const login = client.ask('/login', { body: JSON.stringify({ user: `user-${user}`, style: styleOf(user) }) });
  logins.set(user, login);
  login.then(({ cookie }) => {
    if (cookie === undefined) logins.delete(user);
    else sessions.acknowledged++;
  });
  return login;
}

function styleOf(user) {
  return `as user ${user} likes it`;
}

function results() {
  const sortedMs = latenciesMs.toSorted((one, other) => one - other);
  const percentile = (share) => sortedMs[Math.min(sortedMs.length - 1, Math.floor(sortedMs.length * share))] ?? null;
  return {
    offered: turns.length,
    ...outcomes,
    reasons,
    p50Ms: percentile(0.5),
    p99Ms: percentile(0.99),
    meanMs: latenciesMs.reduce((sum, each) => sum + each, 0) / latenciesMs.length,
    seconds: (performance.now() - startedMs) / 1000,
    hitRatio: found.hits / found.lookups,
  };
}

async function verify() {
  const random = seededRandom(options.seed);
  const wanted = [...acknowledged].map((each) => ({ each, order: random() }));
  wanted.sort((one, other) => one.order - other.order);
  const sample = wanted.slice(0, VERIFIED_TURNS).map(({ each }) => each);
  const missingTurns = await countMissing(sample, async ([turn, checksum]) => {
    const { outcome, body } = await patiently(() => client.ask(`/turns/user-${turn.user}/${turn.id}`));
    return verdict(
      outcome,
      () =>
        body.question === questionText(turn.topic) &&
        body.context === contextText(turn.topic, turn.contextChars) &&
        (body.file ?? '') === fileText(turn) &&
        crc32(body.answer) === checksum,
    );
  });
  const users = await Promise.all([...logins].map(async ([user, login]) => ({ user, cookie: (await login).cookie })));
  const missingSessions = await countMissing(users, async ({ user, cookie }) => {
    const { outcome, body } = await patiently(() => client.ask('/session', { cookie }));
    return verdict(outcome, () => body.user === `user-${user}` && body.style === styleOf(user));
  });
  return {
    turns: { acknowledged: acknowledged.size, asked: sample.length, ...missingTurns },
    sessions: {
      ...{ acknowledged: sessions.acknowledged, lost: sessions.lost + missingSessions.lost },
      unanswered: missingSessions.unanswered,
    },
  };
}

/** A refusal is not a loss: who was told to come back does so, but not for ever. */
async function patiently(ask) {
  for (;;) {
    const reply = await ask();
    const isAnswer = reply.outcome === 'served' || reply.outcome === 'gone';
    if (isAnswer || refusedForMs > REFUSAL_PATIENCE_MS * VERIFIERS) return reply;
    await pause(REFUSAL_WAIT_MS);
    refusedForMs += REFUSAL_WAIT_MS;
  }
}

/** What came of asking: there as it was acknowledged, lost (gone, or something else), or no answer to judge by. */
function verdict(outcome, isRight) {
  if (outcome === 'served') return isRight() ? 'there' : 'lost';
  return outcome === 'gone' ? 'lost' : 'unanswered';
}

async function countMissing(wanted, ask) {
  const counts = { there: 0, lost: 0, unanswered: 0 };
  const rest = wanted.values();
  await Promise.all(
    Array.from({ length: VERIFIERS }, async () => {
      for (const each of rest) counts[await ask(each)]++;
    }),
  );
  return { lost: counts.lost, unanswered: counts.unanswered };
}
