/** Keeps the folder that a node makes in somebody's project out of their commits; folders they have named are theirs. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Writes a `.gitignore` that ignores everything in `folder`, itself too. Where it cannot, the node is none the worse. */
export async function hideFromGit(folder: string): Promise<void> {
  await writeFile(join(folder, '.gitignore'), '*\n', { flag: 'wx', mode: 0o600 }).catch(() => {});
}
