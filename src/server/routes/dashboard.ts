/** The dashboard: its built files, or a page that says how to build them. */
import { readFile } from 'node:fs/promises';
import type { OpenAPIHono } from '@hono/zod-openapi';
import { staticFilesOf } from '../static-files.ts';
import type { ServerEnvironment } from '../work-limits.ts';

const NOT_BUILT = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>Tenure</title>
<h1>Tenure is running</h1>
<p>The dashboard is not built. Run <code>npm run build</code> in Tenure’s folder, then load this page again.</p>
<p>Without it: <a href="/monitoring/memory">the state of the node</a>, <a href="/health/ready">its health</a>,
<a href="/openapi.json">what it can be asked</a>.</p>
</html>
`;

export function dashboardRoutes(app: OpenAPIHono<ServerEnvironment>, directory: string): void {
  let files: ReturnType<typeof staticFilesOf>;

  app.get('/*', async (c, next) => {
    // Whoever loads the page anew also gets the files of a new build.
    if (!files || c.req.path === '/') files = staticFilesOf(directory);
    const file = files?.get(c.req.path);
    if (file) {
      if (c.req.header('if-none-match') === file.headers['etag']) return c.body(null, 304, file.headers);
      return c.body(await readFile(file.path), 200, file.headers);
    }
    if (c.req.path !== '/') return next();
    return c.html(NOT_BUILT, 503, { 'cache-control': 'no-store' });
  });
}
