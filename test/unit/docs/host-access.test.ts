import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { parse, parseAllDocuments } from 'yaml';
import { fenced, root } from './pages.ts';

interface Manifest {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly subjects?: readonly { readonly name: string; readonly namespace: string }[];
}

const blocks = fenced('docs/host-access.md', 'sh');
const bin = mkdtempSync(join(tmpdir(), 'knest-docs-'));
const log = join(bin, 'log');
const secret = join(bin, 'secret');

/** Runs commands with stand-ins for kubectl and gh that answer like those of an administrator. Returns the commands. */
function run(commands: string): readonly string[] {
  const program = (name: string, text: string): void => {
    writeFileSync(join(bin, name), `#!/bin/sh\necho "${name} $*" >> '${log}'\n${text}`);
    chmodSync(join(bin, name), 0o755);
  };
  program(
    'kubectl',
    `case "$*" in
*cluster.server}) printf https://10.0.0.1:6443 ;;
*certificate-authority-data}) printf Q0E= ;;
*'create token'*) echo header.payload.signature ;;
*'-f -') cat > '${bin}/applied' ;;
esac\n`,
  );
  program('gh', `cat > '${secret}'\n`);
  writeFileSync(log, '');
  const env = { ...process.env, PATH: bin + delimiter + (process.env['PATH'] ?? ''), TMPDIR: bin };
  execFileSync('sh', ['-eu', '-c', commands], { cwd: root, env, stdio: 'pipe' });
  return readFileSync(log, 'utf8').trimEnd().split('\n');
}

/** The manifests of docs/rbac, by file. */
function manifests(text: string): readonly Manifest[] {
  return parseAllDocuments(text).map((document) => document.toJS() as Manifest);
}

describe('docs/host-access.md', () => {
  afterAll(() => rmSync(bin, { recursive: true }));

  it('creates the kubeconfig secret for the account of docs/rbac/namespace.yaml', () => {
    const commands = run(blocks.find((text) => text.includes('gh secret set')) ?? '');
    const kubeconfig = parse(readFileSync(secret, 'utf8')) as unknown;
    expect(kubeconfig).toEqual({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'host',
      contexts: [{ name: 'host', context: { cluster: 'host', user: 'knest-action' } }],
      clusters: [{ name: 'host', cluster: { server: 'https://10.0.0.1:6443', 'certificate-authority-data': 'Q0E=' } }],
      users: [{ name: 'knest-action', user: { token: 'header.payload.signature' } }],
    });
    const account = manifests(readFileSync(join(root, 'docs/rbac/namespace.yaml'), 'utf8')).find(
      ({ kind }) => kind === 'ServiceAccount',
    );
    const { name = '', namespace = '' } = account?.metadata ?? {};
    expect(commands).toContainEqual(
      expect.stringMatching(new RegExp(`^kubectl create token ${name} --namespace ${namespace} `)),
    );
    // A command line is visible to others.
    expect(commands.filter((line) => line.includes('payload'))).toEqual([]);
  });

  it('moves every object of docs/rbac/namespace.yaml to another namespace', () => {
    run(blocks.find((text) => text.includes('sed ')) ?? '');
    const moved = manifests(readFileSync(join(bin, 'applied'), 'utf8'));
    expect(moved.map(({ kind, metadata }) => [kind, metadata.name, metadata.namespace])).toEqual([
      ['Namespace', 'team-a', undefined],
      ['ServiceAccount', 'knest-action', 'team-a'],
      ['Role', 'knest-action', 'team-a'],
      ['RoleBinding', 'knest-action', 'team-a'],
    ]);
    expect(moved.flatMap(({ subjects = [] }) => subjects)).toEqual([
      { kind: 'ServiceAccount', name: 'knest-action', namespace: 'team-a' },
    ]);
  });

  it('applies files that exist', () => {
    const files = blocks.flatMap((text) => [...text.matchAll(/docs\/rbac\/[\w-]+\.yaml/g)].map(([file]) => file));
    expect(files.length).toBeGreaterThan(3);
    for (const file of files) expect(() => readFileSync(join(root, file))).not.toThrow();
  });
});
