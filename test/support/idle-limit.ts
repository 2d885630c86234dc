import { connect, createServer, type AddressInfo } from 'node:net';

// A program: passes TCP from a free port of 127.0.0.1 to `host:port`, and cuts a connection on which nothing passed for
// that many seconds, as many proxies and load balancers do. Prints the port, then a line for each connection that it cut.

const [host = '', port = '', seconds = ''] = process.argv.slice(2);

const server = createServer((from) => {
  const to = connect(Number(port), host);
  from.pipe(to).pipe(from);
  for (const socket of [from, to]) socket.on('error', () => undefined);
  from.on('close', () => to.destroy());
  to.on('close', () => from.destroy());
  // Whatever passes in either direction is read or written here.
  from.setTimeout(Number(seconds) * 1000, () => {
    console.log('cut');
    from.destroy();
  });
});
server.listen(0, '127.0.0.1', () => console.log((server.address() as AddressInfo).port));
