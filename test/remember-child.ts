/** A process that remembers without end, fifty at a time, and prints the id of each memory once it is acknowledged. */
import { Tenure } from '../src/platform/tenure.ts';

const [directory, name] = process.argv.slice(2) as [string, string];
const tenure = await Tenure.open({ directory, environment: {} });

async function writer(number: number): Promise<never> {
  for (let count = 0; ; count++) {
    const { id } = await tenure.memory.remember(`note ${count} of writer ${number} in process ${name}`, {
      scope: { tenant: 'acme', user: `user ${number % 5}`, session: `${name} ${number}` },
      tags: [name],
    });
    process.stdout.write(`${id} user ${number % 5}\n`);
  }
}

await Promise.all(Array.from({ length: 50 }, (_, number) => writer(number)));
