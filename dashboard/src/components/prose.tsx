/** Quoted Markdown as text: paragraphs, lists kept line by line, code as code. Nothing in it can become markup. */

/** Splits at fences, keeping what they hold: odd pieces are code. */
const FENCE = /^ *(?:```+|~~~+)[^\n]*\n([\s\S]*?)(?:\n *(?:```+|~~~+) *$|$(?![\s\S]))/m;

export function Prose({ text }: { text: string }) {
  return (
    <>
      {text.split(FENCE).map((piece, index) =>
        index % 2 === 1 ? (
          <pre key={index}>
            <code>{piece}</code>
          </pre>
        ) : (
          piece
            .split(/\n{2,}/)
            .filter((paragraph) => paragraph.trim() !== '')
            .map((paragraph, at) => <p key={at}>{inline(paragraph.trim())}</p>)
        ),
      )}
    </>
  );
}

function inline(paragraph: string) {
  return paragraph
    .split(/`([^`]+)`/)
    .map((piece, index) => (index % 2 === 1 ? <code key={index}>{piece}</code> : piece));
}
