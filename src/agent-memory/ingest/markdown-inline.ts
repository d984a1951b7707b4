/**
 * The readable words of Markdown text inside a block.
 *
 * Dropped: link and image targets, HTML comments and the known HTML tags (their content stays), all outside code spans. Unknown
 * tags stay, because `Promise<Buffer>` in prose is not markup. Every pattern is linear, so no text is slow to read.
 */

const TAG_NAMES =
  'a|abbr|b|blockquote|br|center|code|dd|del|details|div|dl|dt|em|font|h[1-6]|hr|i|img|ins|kbd|li|mark|ol|p|picture|pre|q|s|samp|' +
  'small|source|span|strike|strong|sub|summary|sup|table|tbody|td|tfoot|th|thead|tr|u|ul|var|video';

const TAG = new RegExp(`</?(${TAG_NAMES})(?:\\s[^<>]*)?/?>`, 'gi');
const INLINE_TAG = /^(?:a|abbr|b|code|del|em|font|i|ins|kbd|mark|q|s|samp|small|span|strong|u|var)$/i;
const COMMENT = /<!--(?:(?!-->|<!--)[\s\S])*-->/g;
const TARGET = String.raw`\(\s{0,9}(?:<[^<>]*>|[^()<>\s]*(?:\([^()]*\)[^()\s]*)*)(?:\s{1,9}(?:"[^"]*"|'[^']*'))?\s{0,9}\)`;
const IMAGE = new RegExp(String.raw`!\[([^[\]]*)\](?:${TARGET}|\[[^[\]]*\])`, 'g');
const LINK = new RegExp(String.raw`\[((?:[^[\]]|\[[^[\]]*\])*)\](?:${TARGET}|\[[^[\]]*\])`, 'g');
const ENTITIES: Readonly<Record<string, string>> = { amp: '&', lt: '<', gt: '>', quot: '"', '#39': "'", nbsp: ' ' };

/** Removes the markup that carries no words. */
export function readableInline(text: string): string {
  return outsideCode(text, (prose) =>
    prose
      .replace(COMMENT, ' ')
      .replace(IMAGE, '$1')
      .replace(LINK, '$1')
      .replace(TAG, (_, name: string) => (INLINE_TAG.test(name) ? '' : ' '))
      .replace(/&(amp|lt|gt|quot|#39|nbsp);/g, (_, name: string) => ENTITIES[name]!),
  );
}

/** Applies `change` with every code span replaced by a mark that it leaves alone, then puts the spans back. */
function outsideCode(text: string, change: (prose: string) => string): string {
  if (!text.includes('`')) return change(text);
  const parts = text.split(/(`+)/);
  const spans: string[] = [];
  let masked = '';
  for (let index = 0; index < parts.length; index++) {
    const closing = index % 2 === 1 ? parts.indexOf(parts[index]!, index + 1) : -1;
    if (closing < 0) {
      masked += parts[index];
      continue;
    }
    masked += `\ue000${spans.length}\ue001`;
    spans.push(parts.slice(index, closing + 1).join(''));
    index = closing;
  }
  return change(masked).replace(/\ue000(\d+)\ue001/g, (mark, index: string) => spans[Number(index)] ?? mark);
}
