import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { carry, type CarryLimits, type OpenFarSide } from './carry.ts';

/** Connections at once: the relay takes no more either. */
const MOST_CONNECTIONS = 1_000;

/** Listens on a free port of 127.0.0.1, and carries each connection until it is closed. */
export class TunnelListener {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(open: OpenFarSide, onProblem: (problem: string) => void, limits?: CarryLimits) {
    // The far side may have more to send when the local side has sent all.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      carry(socket, open, onProblem, limits);
    });
    this.#server.maxConnections = MOST_CONNECTIONS;
    this.#server.on('drop', () => onProblem(`refused a connection: there are ${MOST_CONNECTIONS} already`));
  }

  /** Starts to listen. Resolves the port. */
  async listen(): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(0, '127.0.0.1', resolve);
    });
    this.#server.on('error', () => undefined);
    return (this.#server.address() as AddressInfo).port;
  }

  /** Ends every connection, and takes no more. */
  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
