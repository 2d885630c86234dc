import { connect, type Socket } from 'node:net';
import { timed } from './timed.ts';

/**
 * The client of the benchmark's tunnels, a separate program for the network of a job: `node scripts/bench-client.ts
 * PORT KIND COUNT`. Prints seconds, as a JSON array. KIND: `one-by-one`, COUNT connections after one another, each until
 * its answer; `at-once`, until COUNT connections that are all open have their answers; `down` and `up`, COUNT bytes. Fails
 * when a connection does.
 */
const [port = '', kind = '', size = ''] = process.argv.slice(2);
const count = Number(size);
const BLOCK = Buffer.alloc(256 * 1024, 'knest');

async function opened(request: string): Promise<Socket> {
  const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true });
  await new Promise<void>((resolve, reject) => socket.once('error', reject).once('connect', () => resolve()));
  socket.write(request);
  return socket;
}

/** Reads to the end. Resolves how many bytes came. */
async function drained(socket: Socket): Promise<number> {
  let got = 0;
  socket.on('data', (chunk: Buffer) => (got += chunk.length));
  await new Promise<void>((resolve, reject) => socket.once('error', reject).once('end', resolve));
  socket.destroy();
  return got;
}

/** Waits for the first bytes of an answer: the end of a forwarded connection comes up to 1 s later. */
async function answered(socket: Socket): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    socket.once('error', reject).once('data', () => resolve());
    socket.once('end', () => reject(new Error('a connection ended without an answer')));
  });
  socket.on('error', () => undefined).destroy();
}

async function echo(): Promise<void> {
  await answered(await opened('echo\n'));
}

async function atOnce(): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: count }, () => opened('up 5\n')));
  // All are open before any is answered.
  const answers = sockets.map(answered);
  for (const socket of sockets) socket.write('knest');
  await Promise.all(answers);
}

async function down(): Promise<void> {
  const got = await drained(await opened(`down ${count}\n`));
  if (got !== count) throw new Error(`${got} of ${count} bytes came`);
}

async function up(): Promise<void> {
  const socket = await opened(`up ${count}\n`);
  const end = answered(socket);
  for (let left = count; left > 0; left -= BLOCK.length) {
    if (!socket.write(left < BLOCK.length ? BLOCK.subarray(0, left) : BLOCK))
      await Promise.race([new Promise<void>((resolve) => socket.once('drain', resolve)), end]);
  }
  await end;
}

async function measure(): Promise<readonly number[]> {
  if (kind === 'at-once') return [await timed(atOnce)];
  if (kind === 'down') return [await timed(down)];
  if (kind === 'up') return [await timed(up)];
  const times: number[] = [];
  for (let round = 0; round < count; round++) times.push(await timed(echo));
  return times;
}

console.log(JSON.stringify(await measure()));
