/** docs/command-line.md is what the command line says of itself. */
import { describe, expect, it } from 'vitest';
import { projectFolder } from '../tidy/project-files.ts';
import { builtCommand, run } from './built-package.ts';

const COMMANDS = ['serve', 'doctor', 'ingest', 'ask', 'remember', 'recall'];

const INTRODUCTION = `# The command line

The package brings the command \`tenure\`; in a project that has it installed write \`npx tenure\`. All commands work on one store, with or without a
server running beside them. What follows is what \`tenure --help\` and \`tenure <command> --help\` print.

- Results go to standard output, everything about them (progress, notes, errors) to standard error. With \`--json\` the result is one
  JSON document. There is no colour in a pipe.
- The text of \`ask\`, \`remember\` and \`recall\` may be \`-\`: it is then read from standard input.
- Where \`--tenant\` and \`--agent\` are not given, commands use the help agent's scope, \`{ tenant: "default", agent: "help" }\`. \`--agent ""\` leaves the agent
  out.
- The first Ctrl+C lets a command finish what it was writing and close; a second one ends it at once.`;

async function helpOf(...command: string[]): Promise<string> {
  const { status, output } = await run([...builtCommand, ...command, '--help'], { cwd: projectFolder });
  expect(status, output).toBe(0);
  return output.trimEnd();
}

describe('the reference of the command line', () => {
  it('names every command', async () => {
    const listed = [...(await helpOf()).matchAll(/^ {2}(\w+)(?: \[options\]| {2}|\n)/gm)].map(([, name]) => name);
    expect(listed.filter((name) => name !== 'help')).toEqual(COMMANDS);
  });

  it('is what the commands print (write it anew with npm run docs)', async () => {
    const sections = [INTRODUCTION, '## tenure', '```text', await helpOf(), '```'];
    for (const command of COMMANDS) sections.push(`## tenure ${command}`, '```text', await helpOf(command), '```');
    const page = `${sections.join('\n\n').replaceAll('```text\n\n', '```text\n').replaceAll('\n\n```\n', '\n```\n')}\n`;
    await expect(page.replace(/\n\n```\n$/, '\n```\n')).toMatchFileSnapshot('../../docs/command-line.md');
  });
});
