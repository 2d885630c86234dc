import { isIP } from 'node:net';

/** The port of the relay, on the address 127.0.0.1 of its pod. */
export const RELAY_PORT = 6443;

/**
 * The configuration of haproxy. Without `fd-hard-limit`, haproxy takes memory by the limit of open files, which may be a
 * billion. `maxconn` is not a global one: haproxy would not start where that limit is 1024, too few for it. The time-outs
 * are longer than any watch; keep-alives and `tcp-ut` end connections whose other side is gone. Linux applies `tcp-ut` to
 * a side that is there and does not read, too: an API server may pause for 2 minutes. A client may pause for 5 minutes,
 * after which the tunnel itself ends a connection that stalls; the relay gives it as long once the API server has closed.
 */
export function relayConfig(host: string, port: number): string {
  const address = isIP(host) === 6 ? `[${host}]` : host;
  return [
    'global',
    '  fd-hard-limit 4096',
    '  hard-stop-after 1s',
    'defaults',
    '  mode tcp',
    '  timeout connect 5s',
    '  timeout client 24h',
    '  timeout server 24h',
    '  timeout tunnel 24h',
    '  timeout client-fin 5m',
    '  timeout server-fin 30s',
    '  option clitcpka',
    '  clitcpka-idle 15s',
    '  clitcpka-intvl 5s',
    '  clitcpka-cnt 3',
    '  option srvtcpka',
    '  srvtcpka-idle 15s',
    '  srvtcpka-intvl 5s',
    '  srvtcpka-cnt 3',
    'listen api',
    '  maxconn 1000',
    `  bind 127.0.0.1:${RELAY_PORT}`,
    `  server api ${address}:${port} tcp-ut 2m`,
    '',
  ].join('\n');
}
