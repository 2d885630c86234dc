/** The port of the registry itself, on the address 127.0.0.1 of its pod: jobs reach it by port-forward alone. */
export const REGISTRY_PORT = 5001;

/** The port at which nodes read from the registry, on the address of its pod and of its Service. */
export const NODES_PORT = 5000;

/**
 * The configuration of the CNCF's distribution, 2.8 and 3. The secret signs the state of uploads, which must outlive a
 * restart; it opens nothing. Addresses in answers are relative, since the job and the nodes use different ones.
 */
export function registryConfig(secret: string): string {
  return [
    'version: 0.1',
    'log:',
    '  level: warn',
    '  accesslog:',
    '    disabled: true',
    'storage:',
    '  filesystem:',
    '    rootdirectory: /var/lib/registry',
    '  maintenance:',
    '    uploadpurging:',
    '      enabled: false',
    'http:',
    `  addr: 127.0.0.1:${REGISTRY_PORT}`,
    `  secret: ${secret}`,
    '  relativeurls: true',
    '',
  ].join('\n');
}

/**
 * The configuration of haproxy beside the registry, which lets nodes read and write nothing. It listens on the address of
 * the pod, of whichever family that is. See `relayConfig` for the limits of memory.
 */
export function readerConfig(): string {
  return [
    'global',
    '  fd-hard-limit 4096',
    '  hard-stop-after 1s',
    'defaults',
    '  mode http',
    '  timeout connect 5s',
    '  timeout client 5m',
    '  timeout server 5m',
    'listen nodes',
    '  maxconn 1000',
    `  bind "\${POD_IP}:${NODES_PORT}"`,
    '  http-request deny deny_status 405 unless METH_GET',
    `  server registry 127.0.0.1:${REGISTRY_PORT}`,
    '',
  ].join('\n');
}
