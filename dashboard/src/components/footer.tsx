/** Which node this is, and where it keeps its store. */
import { formatBytes, formatDuration } from '../format.ts';
import { status } from '../state/node.ts';
import { now } from '../state/now.ts';

export function Footer() {
  const node = status.value;
  if (!node) return <footer>Tenure</footer>;
  return (
    <footer>
      <p>
        Tenure {node.node.version} on Node {node.node.nodeVersion.replace(/^v/, '')}, process {node.node.pid}, up{' '}
        {formatDuration(Math.max(1000, Math.floor((now.value - node.node.startedAtMs) / 1000) * 1000))}
      </p>
      <p>
        <span class="path">{node.store.path}</span>: {formatBytes(node.store.sizeBytes)},{' '}
        {node.store.memories.toLocaleString()} {node.store.memories === 1 ? 'memory' : 'memories'} in{' '}
        {node.store.scopes.toLocaleString()} {node.store.scopes === 1 ? 'scope' : 'scopes'}
      </p>
    </footer>
  );
}
