/**
 * The indexing job: writes the knowledge base that the servers read at start.
 *
 * Started as `node write-knowledge.mjs <directory> <share of the workload>`, outside the servers' limit, as such jobs run.
 */
import { writeKnowledge } from './knowledge.mjs';
import { knowledgeSize, passageText, seededRandom } from './workload.mjs';

const [directory, share] = process.argv.slice(2);
writeKnowledge({
  directory,
  texts: Array.from({ length: knowledgeSize(Number(share)) }, (_, index) => passageText(index)),
  random: seededRandom(4),
});
