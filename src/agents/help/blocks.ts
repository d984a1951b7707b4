/**
 * A passage as blocks: the smallest pieces that are quoted whole.
 *
 * A paragraph and fenced code are a block each; of a list every item is one, of a table every row, said in words
 * (`first cell: second; head: cell`), because pipes and rules of dashes are read by nobody. What introduces a list or a table is its own block.
 */

export interface Block {
  readonly kind: 'prose' | 'item' | 'row' | 'code';
  /** As it is quoted; of code with its fence. */
  readonly text: string;
}

const FENCE = /^\s*(?:>\s?)*(```+|~~~+)/;
const ITEM = /^\s*(?:[-*+]|\d{1,9}[.)])\s/;
const ROW = /^\s*\|.*\|\s*$/;
const DELIMITER = /^[|:\- \t]*-[|:\- \t]*$/;

/** The blocks of `text`, in order. */
export function blocksOf(text: string): Block[] {
  return piecesOf(text).flatMap((lines): Block[] => {
    const whole = lines.join('\n');
    if (FENCE.test(lines[0]!)) return [{ kind: 'code', text: whole }];
    if (lines.length > 1 && lines[0]!.includes('|') && DELIMITER.test(lines[1]!)) return rowsOf(lines);
    if (lines.some((line) => ITEM.test(line))) return itemsOf(lines);
    return [{ kind: 'prose', text: whole.trim() }];
  });
}

/** Blocks joined as they are read: items and rows line by line, others a paragraph each. */
export function joined(blocks: readonly Block[]): string {
  let text = '';
  for (const [index, { kind, text: next }] of blocks.entries()) {
    const isLine = kind === 'item' || kind === 'row';
    const separator = index === 0 ? '' : isLine && blocks[index - 1]!.kind === kind ? '\n' : '\n\n';
    text += `${separator}${kind === 'row' ? '- ' : ''}${next}`;
  }
  return text;
}

/** What a person would say aloud: no fences, no marks of code, emphasis or lists, on one line. */
export function plainWords({ kind, text }: Block): string {
  const lines = text.split('\n');
  const inside = kind === 'code' ? lines.filter((line) => !FENCE.test(line)).join('\n') : text.replace(ITEM, '');
  return (kind === 'code' ? inside : inside.replace(/\*\*|__|`/g, '')).replace(/\s+/g, ' ').trim();
}

/** Lines between blank ones, with fenced code kept whole and together. */
function piecesOf(text: string): string[][] {
  const pieces: string[][] = [];
  let current: string[] = [];
  let fence: string | undefined;
  const end = () => {
    if (current.length > 0) pieces.push(current);
    current = [];
  };
  for (const line of text.split('\n')) {
    const mark = FENCE.exec(line)?.[1];
    if (fence === undefined && (line.trim() === '' || mark !== undefined)) end();
    if (fence === undefined && line.trim() === '') continue;
    current.push(line);
    if (mark === undefined) continue;
    if (fence === undefined) fence = mark;
    else if (mark.startsWith(fence)) {
      fence = undefined;
      end();
    }
  }
  end();
  return pieces;
}

function itemsOf(lines: readonly string[]): Block[] {
  const blocks: { kind: 'prose' | 'item'; text: string }[] = [];
  for (const line of lines) {
    if (ITEM.test(line)) blocks.push({ kind: 'item', text: line.trim() });
    else if (blocks.length > 0) blocks.at(-1)!.text += `\n${line}`;
    else blocks.push({ kind: 'prose', text: line.trim() });
  }
  return blocks;
}

function rowsOf(lines: readonly string[]): Block[] {
  const [, ...heads] = cellsOf(lines[0]!);
  return lines.slice(2).map((line) => {
    if (!ROW.test(line)) return { kind: 'prose', text: line.trim() };
    const [first = '', ...cells] = cellsOf(line);
    const said = cells
      .map((cell, index) => [cells.length > 1 ? heads[index] : '', cell.replace(/\.$/, '')])
      .filter(([, cell]) => cell !== '')
      .map((words) => words.filter(Boolean).join(' '));
    return { kind: 'row', text: [first, said.join('; ')].filter(Boolean).join(': ') };
  });
}

function cellsOf(row: string): string[] {
  const inside = row.trim().replace(/^\|/, '').replace(/\|$/, '');
  return inside.split(/(?<!\\)\|/).map((cell) => cell.trim().replaceAll('\\|', '|'));
}
