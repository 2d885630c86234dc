import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { sign, type Certificate } from '../../support/certificate.ts';
import type { Pki } from './fields.ts';
import type { Servers } from './servers.ts';

/** Files that kubeconfigs refer to, by their paths below the root. */
export const FILES = {
  authority: 'pki/authority.crt',
  otherAuthority: 'pki/other-authority.crt',
  intermediate: 'pki/intermediate.crt',
  allAuthorities: 'pki/all.crt',
  clientCertificate: 'pki/client.crt',
  clientKey: 'pki/client.key',
  otherKey: 'pki/other.key',
  token: 'pki/token',
  emptyToken: 'pki/empty',
  plugin: 'bin/plugin',
} as const;

/** Names that /etc/hosts has for the servers. */
export const HOSTS = '10.9.0.1 one.example\n10.9.0.2 two.example sub.two.example\n10.9.0.8 proxy.example\n';

/** A credential plugin whose token says what it was given. */
const PLUGIN = `#!/bin/sh
info=$(printf %s "$KUBERNETES_EXEC_INFO" | tr -d '\\n' | cksum | tr -d ' ')
version=$(printf %s "$KUBERNETES_EXEC_INFO" | sed 's/.*"apiVersion":"\\([^"]*\\)".*/\\1/')
printf '{"kind":"ExecCredential","apiVersion":"%s","status":{"token":"plugin-%s-%s-%s"}}' "$version" "$*" "$PLUGIN" "$info"
`;

/** Certificates and keys of the servers. */
const SERVERS = 'pki/servers.json';
/** Where a pod finds its service account. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount';

/** The texts of the files, and more that the servers need. */
function make() {
  const authority = sign({ name: 'authority' });
  const other = sign({ name: 'other authority' });
  const intermediate = sign({ name: 'intermediate', by: other });
  const client = sign({ name: 'client', by: authority, subjects: 'DNS:client' });
  const first = sign({ name: 'first', by: authority, subjects: 'IP:10.9.0.1,DNS:one.example' });
  const second = sign({
    name: 'second',
    by: intermediate,
    subjects: 'IP:10.9.0.2,DNS:two.example,DNS:sub.two.example',
  });
  const third = sign({ name: 'third', by: authority, subjects: 'DNS:api.internal' });
  const texts: Readonly<Record<keyof typeof FILES, string>> = {
    authority: authority.cert,
    otherAuthority: other.cert,
    intermediate: intermediate.cert,
    allAuthorities: authority.cert + other.cert,
    clientCertificate: client.cert,
    clientKey: client.key,
    otherKey: third.key,
    token: ' token-in-a-file\n',
    emptyToken: '\n',
    plugin: PLUGIN,
  };
  return { texts, servers: { first, second, third } };
}

/** Writes the files that kubeconfigs refer to and those of the servers, and returns what the cases need of them. */
export function writeFiles(root: string): Pki {
  const { texts, servers } = make();
  for (const directory of ['pki', 'bin']) mkdirSync(join(root, directory), { recursive: true });
  for (const [name, text] of Object.entries(texts)) {
    writeFileSync(join(root, FILES[name as keyof typeof FILES]), text, { mode: 0o755 });
  }
  writeFileSync(join(root, SERVERS), JSON.stringify(servers));
  const { authority, otherAuthority, intermediate, clientCertificate, clientKey } = texts;
  return { root, authority, otherAuthority, intermediate, clientCertificate, clientKey };
}

/** Starts the servers and proxies, in a network of this process alone, and gives it the service account of a pod. */
export async function start(root: string, servers: Servers): Promise<void> {
  const read = (path: string): string => readFileSync(join(root, path), 'utf8');
  const { first, second, third } = JSON.parse(read(SERVERS)) as Readonly<
    Record<'first' | 'second' | 'third', Certificate>
  >;
  mkdirSync(SERVICE_ACCOUNT, { recursive: true });
  for (const [name, text] of [
    ['token', 'token-of-the-pod'],
    ['ca.crt', read(FILES.authority)],
    ['namespace', 'default'],
  ] as const) {
    writeFileSync(join(SERVICE_ACCOUNT, name), text);
  }
  await servers.https('10.9.0.1', 6443, first);
  await servers.https('10.9.0.2', 6443, second, read(FILES.intermediate));
  await servers.https('10.9.0.3', 6443, third);
  await servers.http('10.9.0.4', 8001);
  await servers.proxy('proxy', '10.9.0.8', 3128);
  await servers.proxy('other proxy', '10.9.0.8', 3129);
  await servers.socks('socks', '10.9.0.8', 1080);
  await servers.socks('socks with a login', '10.9.0.8', 1081, 'me:p@ss');
}
