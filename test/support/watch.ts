import { readFileSync } from 'node:fs';
import { connectPlain } from '../../src/host/connect.ts';
import { linesOf } from '../../src/host/api/stream-lines.ts';

// A program: watches `path` with the kubeconfig in `file`, by HTTP/1.1, so that nothing passes while nothing happens: over
// HTTP/2, clients send pings. Prints `open`, then each event, and `cut` when the connection breaks. Ends with the watch.

const [file = '', path = ''] = process.argv.slice(2);
const { signal } = new AbortController();
const { rest } = connectPlain(readFileSync(file, 'utf8'), signal);
const stream = await rest.stream(path, signal);
console.log('open');
try {
  for await (const line of linesOf(stream)) console.log(line);
} catch {
  console.log('cut');
}
