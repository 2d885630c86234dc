import { appendFileSync, createReadStream, statSync } from 'node:fs';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { join, normalize } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Answers with a file below `root`, and with 404 to all else: as a registry, the mirror has no image. */
function answer(root: string, request: IncomingMessage, response: ServerResponse): void {
  const path = normalize(decodeURIComponent(new URL(request.url ?? '/', 'http://mirror').pathname));
  const file = join(root, path); // normalize has resolved every ".."
  const stat = statSync(file, { throwIfNoEntry: false });
  if (!stat?.isFile()) {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('not found\n');
    return;
  }
  response.writeHead(200, { 'content-type': 'application/octet-stream', 'content-length': stat.size });
  if (request.method === 'HEAD') response.end();
  else createReadStream(file).pipe(response);
}

/**
 * Serves the release assets below `root` on port 8080, and appends a line a request to `log`: time, method, path and
 * status, apart from requests for /healthz.
 */
export function serve(root: string, log: string): void {
  createServer((request, response) => {
    if (request.url === '/healthz') {
      response.end('ok\n');
      return;
    }
    response.on('close', () => {
      const fields = [new Date().toISOString(), request.method, request.url, response.statusCode];
      appendFileSync(log, `${fields.join(' ')}\n`);
    });
    try {
      answer(root, request, response);
    } catch {
      response.writeHead(400).end('bad request\n');
    }
  }).listen(8080);
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [, , root = '.', log = 'mirror.log'] = process.argv;
  serve(root, log);
}
