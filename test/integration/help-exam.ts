/**
 * The exam of the help agent: questions about Tenure and its packages, each with where the answer stands and what it must say.
 *
 * Asked by people who do not know the words of the documentation. One half was used to tune the agent and the documents, the other only to
 * report. An answer is right when its first source is one of the documents and all the words stand in what is quoted. `STRANGE` questions have
 * no answer: nothing may be said to them with confidence.
 */

export interface ExamQuestion {
  readonly question: string;
  /** Documents that answer it, within the package; several where each of them does. */
  readonly documents: readonly string[];
  /** What the quoted text must hold, in any case. */
  readonly holds: readonly string[];
}

const GUIDE = 'tenure/docs/guide/';
const README = 'tenure/README.md';
const [START, NODE, FAQ] = [`${GUIDE}getting-started.md`, `${GUIDE}running-a-node.md`, `${GUIDE}faq.md`];
const [BUDGET, PRESSURE] = [`${GUIDE}budget-and-consumers.md`, `${GUIDE}monitoring-and-pressure.md`];
const [RECALL, ASK, HTTP] = [`${GUIDE}remember-and-recall.md`, `${GUIDE}ingest-and-ask.md`, `${GUIDE}http-api.md`];
const [STORE, TROUBLE] = [`${GUIDE}store-and-durability.md`, `${GUIDE}troubleshooting.md`];
const [COMMANDS, SETTINGS, ERRORS] = ['command-line', 'configuration', 'errors'].map(
  (page) => `tenure/docs/${page}.md`,
) as [string, string, string];

function asks(question: string, documents: readonly string[], ...holds: readonly string[]): ExamQuestion {
  return { question, documents, holds };
}

export const TUNED_ON: readonly ExamQuestion[] = [
  asks('how do I limit memory?', [NODE, FAQ], 'memory_limit_mb'),
  asks('What is a consumer?', [BUDGET, FAQ], 'holds bytes'),
  asks('What is Tenure?', [README, FAQ, START], 'memory management'),
  asks('Which Node version do I need?', [FAQ, START, README], '20.19'),
  asks('How do I upgrade?', [NODE, FAQ, STORE], 'new'),
  asks('what exit codes does the CLI have?', [COMMANDS, FAQ], '2', '130'),
  asks('What is the maximum size of a memory?', [RECALL, FAQ], '32,768'),
  asks('Can I use Bun or Deno?', [FAQ], 'Node'),
  asks('How do I back up the store?', [NODE, STORE, FAQ], 'tenure.db'),
  asks('Where is my data stored?', [NODE, STORE, FAQ], '.tenure'),
  asks('What file formats can I ingest?', [ASK, FAQ], '.md', '.jsonl'),
  asks('What does BUDGET_EXCEEDED mean?', [ERRORS, BUDGET, TROUBLE, FAQ], 'BUDGET_EXCEEDED'),
  asks('How do I see what holds memory?', [PRESSURE, FAQ], '/monitoring/memory'),
  asks('run it in Docker?', [FAQ, NODE], 'container'),
  asks('stop the server?', [NODE, START, FAQ], 'Ctrl+C'),
  asks('how fast is it?', [FAQ], 'ms'),
  asks('parse an object with zod', ['zod/README.md'], '.parse'),
  asks('log levels in pino', ['pino/README.md'], 'level'),
  asks('what happens when the disk is full?', [STORE, TROUBLE, ERRORS], 'STORE_FULL'),
  asks('the port is already in use', [TROUBLE, ERRORS], '--port'),
  asks('how many processes can open one store?', [STORE, FAQ], 'any number'),
  asks('how do I watch events in code?', [PRESSURE], 'tenure.events.subscribe'),
  asks('what does STORE_LOCKED mean?', [TROUBLE, ERRORS, STORE], 'lock'),
  asks('how is the pressure score computed?', [PRESSURE], 'worst of its terms'),
  asks('what is drift?', [PRESSURE, BUDGET, FAQ, TROUBLE], 'drift', 'nobody'),
  asks('how do I keep a memory from ever being pruned?', [RECALL, COMMANDS], 'pinned'),
  asks('how do I ask only what one tenant knows?', [ASK, FAQ], '--tenant'),
  asks('does it send my data anywhere?', [FAQ, START, ASK], 'nothing is sent'),
  asks('what is observe only?', [PRESSURE, SETTINGS], 'observe_only'),
  asks('how do I get JSON output from a command?', [COMMANDS, FAQ], '--json'),
  asks('how do I raise the busy timeout?', [STORE, SETTINGS, TROUBLE], 'lock_timeout_ms'),
  asks('what is a scope?', [RECALL, FAQ], 'tenant'),
  asks('how do I reload the configuration?', [NODE, SETTINGS], 'read again'),
  asks('which endpoint is the readiness probe?', [NODE, HTTP], '/health/ready'),
  asks('how large may a request body be?', [HTTP, SETTINGS], '8'),
  asks('how does recall rank its results?', [RECALL], 'BM25'),
  asks('can I use PostgreSQL?', [FAQ], 'SQLite'),
  asks('how do I uninstall it?', [FAQ], 'npm uninstall'),
  asks('the process was OOM killed, why did tenure not notice?', [TROUBLE], 'memory_limit_mb'),
  asks('how do I index Chinese documents?', [RECALL, FAQ], 'pairs of characters'),
  asks('what does the pressure reason tell me?', [PRESSURE], 'worst of its terms'),
  asks('which levels of pressure are there?', [PRESSURE], 'moderate'),
  asks('can two servers share one store?', [STORE, FAQ], 'any number'),
  asks('how do I tag a memory?', [RECALL, COMMANDS], 'tag'),
  asks('what is stored beside tenure.db?', [STORE], 'tenure.db-wal'),
  asks('is there a log rotation?', [NODE, SETTINGS], 'rotated'),
  asks('how do I make it less chatty in the log?', [NODE, SETTINGS], 'level'),
  asks('where do I put tenure.yml?', [NODE, SETTINGS], 'working directory'),
  asks('what does INGEST_BINARY mean?', [ERRORS], 'INGEST_BINARY'),
  asks('can I ingest a PDF?', [FAQ], 'PDF'),
  asks('how do I send a document over HTTP?', [HTTP], '/ingest'),
  asks('does a changed document get read again?', [ASK], 'changed'),
  asks('how do I look at a week of history?', [PRESSURE, HTTP], '/monitoring/history'),
  asks('how do I get live readings in a browser?', [HTTP], '/monitoring/stream'),
  asks('what does tenure doctor look at?', [COMMANDS, START, README], 'machine'),
  asks('how do I write my own cache that gives memory back?', [BUDGET], 'reclaim'),
  asks('what happens to an old store after an update?', [STORE, NODE, FAQ], 'newer'),
  asks('how many megabytes does an idle node take?', [FAQ], '80 MB'),
  asks('does it work offline?', [FAQ, ASK, START], 'offline'),
  asks('which SQLite does it use?', [STORE], 'node:sqlite'),
  asks('why was my configuration refused?', [TROUBLE, ERRORS, SETTINGS], 'CONFIG_INVALID'),
  asks('how do I remember something for Ann only?', [RECALL, FAQ, COMMANDS], 'user'),
  asks('is the dashboard password protected?', [FAQ, NODE, TROUBLE, HTTP], 'loopback'),
  asks('what does a reading contain?', [PRESSURE], 'anonymous memory'),
  asks('how do I call it from Python?', [FAQ, HTTP], 'HTTP'),
];

export const REPORTED: readonly ExamQuestion[] = [
  asks('How do I install it?', [START, FAQ, README], 'npm install'),
  asks('What license is it?', [FAQ, README], 'MIT'),
  asks('Is it safe against kill -9?', [STORE, FAQ], 'nothing that was acknowledged'),
  asks('How do I use TypeScript?', [START, FAQ, README], 'await using'),
  asks('Can it run on Windows?', [FAQ], 'Windows'),
  asks('How do I delete a memory?', [RECALL, HTTP, FAQ], 'forget'),
  asks('How do I turn on logging to a file?', [NODE, SETTINGS], 'file: ./tenure.log'),
  asks('Does it need an OpenAI key?', [FAQ], 'no key'),
  asks('How do I restrict answers to one user?', [ASK, FAQ], '--user'),
  asks('how do I change the port?', [NODE, FAQ], '--port'),
  asks('expose the dashboard?', [NODE, FAQ, HTTP], 'proxy'),
  asks('embeddings?', [FAQ, RECALL], 'not in this version'),
  asks('heap snapshot?', [FAQ], 'heap snapshot'),
  asks('required option in commander', ['commander/Readme.md'], 'requiredOption'),
  asks('add a subcommand', ['commander/Readme.md'], '.command('),
  asks('start a web app with hono', ['hono/README.md'], 'new Hono()'),
  asks('stringify with yaml', ['yaml/README.md'], 'stringify'),
  asks('how often does it measure memory?', [PRESSURE], '250 ms'),
  asks('when does it force a garbage collection?', [PRESSURE], '10 s'),
  asks('I get 503 SHEDDING, why?', [TROUBLE, ERRORS, PRESSURE, HTTP], 'critical'),
  asks('how do I move the store to another folder?', [NODE, STORE, FAQ], 'directory'),
  asks('does tryGrow wait?', [BUDGET], 'never waits'),
  asks('how many memories can I save at once?', [STORE, RECALL, FAQ], '2,000'),
  asks('how do I make a memory expire?', [RECALL], 'ttlMs'),
  asks('can the store be on NFS or another network file system?', [STORE, FAQ], 'local disk'),
  asks('how do I check that my machine is set up properly?', [START, FAQ], 'doctor'),
  asks('how do I remove everything learned from one document?', [RECALL, ASK, FAQ], 'forgetSource'),
  asks('how do I give documents to the help agent when it starts?', [ASK], 'documents: ['),
  asks('what happens at level critical?', [PRESSURE], '503'),
  asks('can I cap a recall at a number of tokens?', [RECALL], 'maxTokens'),
  asks('which environment variable sets the port?', [NODE, SETTINGS], 'TENURE_PORT'),
  asks('what does retained mean?', [PRESSURE, BUDGET, FAQ, TROUBLE], 'allocator'),
  asks('how do I read the question from stdin?', [COMMANDS], 'standard input'),
  asks('where is the OpenAPI description?', [HTTP], '/openapi.json'),
  asks('how big is the page cache by default?', [STORE, SETTINGS], '16'),
  asks('how do I change the alert thresholds?', [PRESSURE, SETTINGS], 'alert_thresholds'),
  asks('who has to give memory back first?', [BUDGET], 'idle'),
  asks('remember many texts over HTTP', [HTTP], '/memories/batch'),
  asks('how do I give every tenant its own limit?', [BUDGET], 'budget.child'),
  asks('why does recall find nothing?', [TROUBLE], 'same scope'),
];

/** Half of them about other things, half about things of Tenure's that there are not. */
export const STRANGE: Readonly<Record<'tunedOn' | 'reported', readonly string[]>> = {
  tunedOn: [
    'how do I bake sourdough bread?',
    'who won the world cup in 1990?',
    'how do I configure Redis replication?',
    'how do I set a password for the dashboard?',
    'does it have a GraphQL interface?',
    'how do I merge two stores into one?',
    'can I rename a tenant?',
    'how do I print a document?',
    'what does the green light of the server mean?',
    'how do I schedule a nightly report?',
    'how do I share a memory with a friend?',
    'how much does a licence for ten servers cost?',
  ],
  reported: [
    'what is the capital of France?',
    'does it integrate with Salesforce?',
    'how do I train a neural network?',
    'how do I translate a memory into German?',
    'can I change the colours of the dashboard?',
    'how do I send an alert to Slack?',
    'does the store encrypt what it keeps?',
    'how do I undo a deletion?',
    'can I draw a graph of my memories?',
    'how do I import a calendar?',
    'how do I throttle a client by its address?',
    'what is the salary of an agent?',
  ],
};
