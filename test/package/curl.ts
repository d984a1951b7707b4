/** As much of curl as the documents use, so that they can be run where there is no curl. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Runs `curl <args>` in `folder` against `address`, whatever port the documents show. A stream is read to its first chunk. */
export async function curl(
  args: readonly string[],
  { address, folder }: { address: string; folder: string },
): Promise<{ status: number; body: string }> {
  const headers: Record<string, string> = {};
  let method: string | undefined;
  let body: string | undefined;
  let url: URL | undefined;
  let isStream = false;
  for (let index = 0; index < args.length; index++) {
    const arg = args[index]!;
    if (arg === '-N' || arg === '--no-buffer') isStream = true;
    else if (arg === '-s' || arg === '-i' || arg === '-sS') continue;
    else if (arg === '-X') method = args[++index]!;
    else if (arg === '-H') {
      const [name, ...value] = args[++index]!.split(':');
      headers[name!.trim()] = value.join(':').trim();
    } else if (arg === '-d' || arg === '--data-binary') {
      const data = args[++index]!;
      body = data.startsWith('@') ? readFileSync(join(folder, data.slice(1)), 'utf8') : data;
    } else if (/^(https?:\/\/|[\w.]+:\d+)/.test(arg)) url = new URL(arg.startsWith('http') ? arg : `http://${arg}`);
    else throw new Error(`curl ${arg}: not an option these documents use.`);
  }
  if (!url) throw new Error(`curl ${args.join(' ')}: no address.`);
  const response = await fetch(`${address}${url.pathname}${url.search}`, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers,
    ...(body === undefined ? {} : { body }),
  });
  if (!isStream) return { status: response.status, body: await response.text() };
  const reader = response.body!.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return { status: response.status, body: new TextDecoder().decode(value) };
}
