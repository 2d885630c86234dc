import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { pipeline } from 'node:stream';

/**
 * Joins two networks, as a program of its own, since a process has one network: what comes in on a free port here goes
 * to the socket file `inside`, what comes in on the socket file `outside` goes to `host:port`. Prints the free port, and
 * ends with its standard input.
 */
const [inside = '', outside = '', host = '', port = ''] = process.argv.slice(2);

function relay(to: () => Socket): Server {
  return createServer((from) => {
    const there = to();
    pipeline(from, there, from, () => {
      from.destroy();
      there.destroy();
    });
  });
}

const entrance = relay(() => connect(inside));
const exit = relay(() => connect(Number(port), host));
exit.listen(outside, () => {
  entrance.listen(0, '127.0.0.1', () => console.log((entrance.address() as AddressInfo).port));
});
process.stdin.resume().on('end', () => process.exit());
