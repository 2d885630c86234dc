import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { systemCodeOf } from '../errors.ts';

/** The addresses of localhost. Programs may try either first. */
const LOCALHOST = ['127.0.0.1', '::1'] as const;
/** Codes of systems that have no ::1. */
const NO_IPV6 = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EINVAL'];
/** How often a free port is looked for that is free on both addresses. */
const TRIES = 20;

/**
 * Has servers that `make` returns listen on a port of localhost: one on 127.0.0.1, one on ::1 where there is one. 0: a free
 * port. Resolves the port. Rejects with the code of the system, such as EADDRINUSE, and then nothing listens.
 */
export async function listenOnLocalhost(port: number, make: () => Server): Promise<number> {
  for (let tried = 1; ; tried++) {
    const servers: Server[] = [];
    try {
      let chosen = port;
      for (const address of LOCALHOST) {
        const server = make();
        chosen = (await listen(server, chosen, address)) ?? chosen;
        servers.push(server);
      }
      return chosen;
    } catch (thrown) {
      for (const server of servers) server.close();
      if (port !== 0 || tried === TRIES) throw thrown;
    }
  }
}

/** Resolves the port; undefined when the system has no such address. */
async function listen(server: Server, port: number, address: (typeof LOCALHOST)[number]): Promise<number | undefined> {
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ port, host: address, ipv6Only: true }, resolve);
    });
  } catch (thrown) {
    if (address === '::1' && NO_IPV6.includes(systemCodeOf(thrown))) return undefined;
    throw thrown;
  }
  server.removeAllListeners('error').on('error', () => undefined);
  return (server.address() as AddressInfo).port;
}

/** Why nobody can listen on that port of localhost now, as the system's code; undefined when somebody can. */
export async function portProblem(port: number): Promise<string | undefined> {
  const servers: Server[] = [];
  const make = (): Server => {
    const server = createServer();
    servers.push(server);
    return server;
  };
  try {
    await listenOnLocalhost(port, make);
    return undefined;
  } catch (thrown) {
    return systemCodeOf(thrown);
  } finally {
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  }
}

/** A process, and the command line that it was started with. */
export interface PortHolder {
  readonly pid: number;
  readonly command: readonly string[];
}

/** The process that listens on a port; undefined when this user may not see it. */
export function portHolder(port: number): PortHolder | undefined {
  try {
    return process.platform === 'linux' ? holderInProc(port) : holderByLsof(port);
  } catch {
    return undefined;
  }
}

/** The state of a socket that listens, in /proc/net/tcp. Source: include/net/tcp_states.h, TCP_LISTEN. */
const LISTENING = '0A';

function holderInProc(port: number): PortHolder | undefined {
  const wanted = port.toString(16).toUpperCase().padStart(4, '0');
  const sockets = ['tcp', 'tcp6'].flatMap((table) =>
    linesOf(`/proc/net/${table}`)
      .map((line) => line.trim().split(/\s+/))
      .filter((fields) => fields[1]?.endsWith(`:${wanted}`) === true && fields[3] === LISTENING)
      .map((fields) => `socket:[${fields[9] ?? ''}]`),
  );
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const pid = pids.find((one) => filesOf(one).some((target) => sockets.includes(target)));
  if (pid === undefined) return undefined;
  return { pid: Number(pid), command: commandOf(Number(pid)) };
}

/** The command line of a process; empty when it has ended, or this user may not see it. */
export function commandOf(pid: number): readonly string[] {
  try {
    return process.platform === 'linux'
      ? readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(0, -1)
      : outputOf('ps', ['-o', 'args=', '-p', String(pid)]).split(' ');
  } catch {
    return [];
  }
}

function outputOf(program: string, args: readonly string[]): string {
  return execFileSync(program, args, { encoding: 'utf8', timeout: 5_000 }).trim();
}

function linesOf(file: string): readonly string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(1);
  } catch {
    return []; // The table of IPv6 is missing where the system does not have it.
  }
}

/** What the open files of a process are; nothing of a process of another user, or one that has ended. */
function filesOf(pid: string): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((name) => {
      try {
        return readlinkSync(`/proc/${pid}/fd/${name}`);
      } catch {
        return '';
      }
    });
  } catch {
    return [];
  }
}

function holderByLsof(port: number): PortHolder | undefined {
  const [pid = ''] = outputOf('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-t']).split('\n');
  return pid === '' ? undefined : { pid: Number(pid), command: commandOf(Number(pid)) };
}
