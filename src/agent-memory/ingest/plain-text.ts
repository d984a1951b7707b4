/** Plain text: paragraphs are separated by blank lines; nothing is interpreted and nothing is dropped. */
import { lines } from './lines.ts';
import { PassageBuilder } from './passage.ts';
import { LINE_LIMIT, PARAGRAPH_LIMIT, type Reader } from './reader.ts';

export const readPlainText: Reader = async function* (text) {
  const builder = new PassageBuilder();
  let paragraph = '';
  for await (const line of lines(text, LINE_LIMIT)) {
    const blank = line.text.trim() === '' && !line.continues;
    if (!blank) paragraph += `${line.text}${line.continues ? '' : '\n'}`;
    if (!blank && paragraph.length < PARAGRAPH_LIMIT) continue;
    builder.block(paragraph);
    paragraph = '';
    yield* builder.take();
  }
  builder.block(paragraph);
  yield* builder.take({ end: true });
};
