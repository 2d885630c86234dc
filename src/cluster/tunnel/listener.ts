import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { listenOnLocalhost } from '../../runner/local-port.ts';
import { carry, type CarryLimits, type OpenFarSide } from './carry.ts';

/** Connections at once: the relay takes no more either. */
const MOST_CONNECTIONS = 1_000;

/** Listens on 127.0.0.1, or on all of localhost, and carries each connection until it is closed. */
export class TunnelListener {
  readonly #make: () => Server;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  constructor(open: OpenFarSide, onProblem: (problem: string) => void, limits?: CarryLimits) {
    this.#make = () => {
      // The far side may have more to send when the local side has sent all.
      const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
        this.#sockets.add(socket);
        socket.on('close', () => this.#sockets.delete(socket));
        carry(socket, open, onProblem, limits);
      });
      server.maxConnections = MOST_CONNECTIONS;
      server.on('drop', () => onProblem(`refused a connection: there are ${MOST_CONNECTIONS} already`));
      this.#servers.push(server);
      return server;
    };
  }

  /** Starts to listen on a free port of 127.0.0.1. Resolves the port. */
  async listen(): Promise<number> {
    const server = this.#make();
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(0, '127.0.0.1', resolve);
    });
    server.on('error', () => undefined);
    return (server.address() as AddressInfo).port;
  }

  /** Starts to listen on that port of localhost; 0: a free one. Resolves the port. Rejects when it is taken. */
  async listenOnLocalhost(port: number): Promise<number> {
    return listenOnLocalhost(port, this.#make);
  }

  /** Ends every connection, and takes no more. */
  close(): void {
    for (const server of this.#servers) server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
