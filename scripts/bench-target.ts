import { createServer as createHttpsServer } from 'node:https';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { sign } from '../test/support/certificate.ts';

/**
 * The server behind the relay of the benchmark, a separate program for the network of the host: `node
 * scripts/bench-target.ts ADDRESS`. Prints its port and the authority of its certificate, as JSON in one line. Answers
 * `ok` to every HTTPS request, as a nested API server does when it is asked whether it is ready. Without TLS, it takes
 * one line: `echo` is answered, after `down N` it sends N bytes, after `up N` it reads N bytes and answers.
 */
const [address = ''] = process.argv.slice(2);
const TLS_HANDSHAKE = 0x16;
const BLOCK = Buffer.alloc(256 * 1024, 'knest');
const ANSWER = 'done\n';

const certificate = sign({ name: address, subjects: `IP:${address}` });
const nested = createHttpsServer(certificate, (_request, response) => response.end('ok'));

function serve(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  socket.once('data', (chunk: Buffer) => {
    if (chunk[0] === TLS_HANDSHAKE) {
      socket.pause();
      socket.unshift(chunk);
      nested.emit('connection', socket);
      return;
    }
    const end = chunk.indexOf('\n');
    const [command, count] = chunk.toString('utf8', 0, end).split(' ');
    if (command === 'down') send(socket, Number(count));
    else receive(socket, Number(count ?? 0), chunk.length - end - 1);
  });
}

function send(socket: Socket, count: number): void {
  let left = count;
  const go = (): void => {
    while (left > 0) {
      const block = left < BLOCK.length ? BLOCK.subarray(0, left) : BLOCK;
      left -= block.length;
      if (!socket.write(block)) return;
    }
    socket.end();
  };
  socket.on('drain', go);
  go();
}

function receive(socket: Socket, count: number, already: number): void {
  let got = already;
  const look = (): void => {
    if (got >= count) socket.end(ANSWER);
  };
  socket.on('data', (chunk: Buffer) => {
    got += chunk.length;
    look();
  });
  look();
}

const server = createServer(serve).listen(0, address, () => {
  console.log(JSON.stringify({ port: (server.address() as AddressInfo).port, authority: certificate.cert }));
});
