// A stand-in for the GitHub API, as far as clean-up asks it: `node github-api.ts REPOSITORY-ID NUMBER=STATE…`. It writes
// its address as the first line, and each request after it.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

const [id = '', ...pulls] = process.argv.slice(2);
const states = new Map(pulls.map((pull) => pull.split('=') as [string, string]));

const server = createServer(({ method = '', url = '', headers }, response) => {
  process.stdout.write(`${method} ${url} ${headers.authorization ?? 'anonymous'}\n`);
  const state = states.get(/^\/repos\/[^/]+\/[^/]+\/pulls\/(\d+)$/.exec(url)?.[1] ?? '');
  const body = state === undefined ? { message: 'Not Found' } : { state, base: { repo: { id: Number(id) } } };
  response.writeHead(state === undefined ? 404 : 200, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
});
server.listen(0, '127.0.0.1', () => {
  process.stdout.write(`http://127.0.0.1:${(server.address() as AddressInfo).port}\n`);
});
