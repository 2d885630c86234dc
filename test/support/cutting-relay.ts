import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

// A program: passes TCP from a free port of 127.0.0.1 to `host:port`, and cuts connections. `silence SECONDS`: each on
// which nothing passes for so long, as many proxies and load balancers do. `bytes BYTES`: all of them, once that many
// bytes have been sent to the host. Prints the port, then `cut` for each cut.

const [host = '', port = '', kind = '', limit = ''] = process.argv.slice(2);
const sockets = new Set<Socket>();
let bytes = 0;

function cut(those: Iterable<Socket>): void {
  console.log('cut');
  for (const socket of those) socket.destroy();
}

const server = createServer((from) => {
  const to = connect(Number(port), host);
  from.pipe(to).pipe(from);
  sockets.add(from);
  for (const socket of [from, to]) socket.on('error', () => undefined);
  from.on('close', () => {
    sockets.delete(from);
    to.destroy();
  });
  to.on('close', () => from.destroy());
  // Whatever passes in either direction is read or written here.
  if (kind === 'silence') from.setTimeout(Number(limit) * 1000, () => cut([from]));
  else
    from.on('data', ({ length }) => {
      const isHere = bytes < Number(limit);
      bytes += length;
      if (isHere && bytes >= Number(limit)) cut(sockets);
    });
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
