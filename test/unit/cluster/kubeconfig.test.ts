import { chmodSync, linkSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import {
  kubeconfigText,
  parseKubeconfig,
  secretLeaves,
  serverOf,
  withServer,
  writePrivateFile,
  type Kubeconfig,
} from '../../../src/cluster/kubeconfig.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const body = ['MIIEpAIBAAKCAQEA'.repeat(4), 'q83vEjRWeJCrze8S'.repeat(4), 'Zm9vYg=='];
const pem = ['-----BEGIN RSA PRIVATE KEY-----', ...body, 'QQ==', '-----END RSA PRIVATE KEY-----', ''].join('\n');

const user = {
  'client-certificate-data': base64('certificate'),
  'client-key-data': base64(pem),
  token: 'abc.def-ghi',
  username: 'admin',
  password: 'correct horse',
};
const kubeconfig: Kubeconfig = {
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [{ name: 'pr', cluster: { server: 'https://10.1.2.3:6443', 'certificate-authority-data': base64('ca') } }],
  users: [{ name: 'pr-admin', user }],
  contexts: [{ name: 'pr-admin@pr', context: { cluster: 'pr', user: 'pr-admin' } }],
  'current-context': 'pr-admin@pr',
};

describe('secretLeaves', () => {
  const leaves = secretLeaves(kubeconfig);

  it('are the key, encoded and line by line, the token and the password, each in base64 too', () => {
    expect([...leaves].sort()).toEqual(
      [base64(pem), ...body, 'abc.def-ghi', base64('abc.def-ghi'), 'correct horse', base64('correct horse')].sort(),
    );
  });

  it('leave out what would riddle the log: short lines, the frame of the key, and the YAML', () => {
    expect(leaves).not.toContain('QQ==');
    expect(leaves.filter((leaf) => leaf.length < 8 || leaf.startsWith('-----'))).toEqual([]);
    const shown = ['apiVersion: v1', 'kind: Config', 'current-context: pr-admin@pr', 'https://10.1.2.3:6443', 'admin'];
    for (const text of shown) expect(leaves.filter((leaf) => text.includes(leaf))).toEqual([]);
  });

  it('hide every secret in the YAML, and nothing else', () => {
    const masked = leaves.reduce((text, leaf) => text.replaceAll(leaf, 'hidden'), kubeconfigText(kubeconfig));
    expect(parseKubeconfig(masked)).toEqual({
      ...kubeconfig,
      users: [
        { name: 'pr-admin', user: { ...user, 'client-key-data': 'hidden', token: 'hidden', password: 'hidden' } },
      ],
    });
  });

  it('are those of every user', () => {
    const users = ['one', 'two'].map((token) => ({ name: token, user: { token: `token-${token}` } }));
    const found = secretLeaves({ ...kubeconfig, users });
    expect(found).toEqual(['token-one', base64('token-one'), 'token-two', base64('token-two')]);
  });

  it('are none where there is no secret', () => {
    const users = [{ name: 'u', user: { username: 'admin', token: '', password: null, 'client-key-data': 7 } }];
    expect(secretLeaves({ ...kubeconfig, users })).toEqual([]);
    expect(secretLeaves({ ...kubeconfig, users: [] })).toEqual([]);
  });
});

describe('withServer', () => {
  it('changes the address, and the name in the certificate where it is another', () => {
    const routed = withServer(kubeconfig, 'https://node:30001', '10.1.2.3');
    expect(serverOf(routed)).toBe('https://node:30001');
    expect(routed).toEqual({
      ...kubeconfig,
      clusters: [
        {
          name: 'pr',
          cluster: {
            server: 'https://node:30001',
            'tls-server-name': '10.1.2.3',
            'certificate-authority-data': base64('ca'),
          },
        },
      ],
    });
    expect(serverOf(kubeconfig)).toBe('https://10.1.2.3:6443');
  });

  it('adds no name when it is the same', () => {
    expect(withServer(kubeconfig, 'https://10.1.2.3:6443', undefined)).toStrictEqual(kubeconfig);
  });
});

describe('kubeconfigText', () => {
  it('keeps each value on one line, since what is broken could not be masked', () => {
    const long = base64(pem.repeat(20));
    const users = [{ name: 'u', user: { 'client-key-data': long, password: 'two words '.repeat(30) } }];
    const lines = kubeconfigText({ ...kubeconfig, users }).split('\n');
    expect(lines.filter((line) => line.includes(long))).toHaveLength(1);
    expect(lines.filter((line) => line.includes('two words '.repeat(29)))).toHaveLength(1);
  });
});

describe('parseKubeconfig', () => {
  it('reads what kubeconfigText wrote', () => {
    expect(parseKubeconfig(kubeconfigText(kubeconfig))).toEqual(kubeconfig);
  });

  it.each(['', '# nothing', 'just a text', '42', '- a\n- b', '{}', 'clusters: null\nusers: ~', 'apiVersion: v1'])(
    'finds neither clusters nor users in %j',
    (text) => {
      const parsed = parseKubeconfig(text);
      expect(parsed).toMatchObject({ clusters: [], users: [] });
      expect(serverOf(parsed)).toBe('');
      expect(secretLeaves(parsed)).toEqual([]);
    },
  );

  it('does not take broken YAML for an empty one', () => {
    expect(() => parseKubeconfig('clusters: [')).toThrow();
  });
});

describe('writePrivateFile', () => {
  function directory(): string {
    const made = mkdtempSync(join(tmpdir(), 'private-'));
    onTestFinished(() => rmSync(made, { recursive: true, force: true }));
    return made;
  }
  const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

  it('makes a file for its owner alone, in a directory for its owner alone', async () => {
    const path = join(directory(), 'a', 'b', 'kubeconfig');
    await writePrivateFile(path, 'secret');
    expect(readFileSync(path, 'utf8')).toBe('secret');
    expect(modeOf(path)).toBe('600');
    expect(modeOf(join(path, '..'))).toBe('700');
  });

  it('replaces a file that others can read, instead of writing into it', async () => {
    const path = join(directory(), 'kubeconfig');
    writeFileSync(path, 'readable');
    chmodSync(path, 0o644);
    // Whoever has it open reads on in the old file.
    linkSync(path, `${path}.open`);
    await writePrivateFile(path, 'secret');
    expect(readFileSync(path, 'utf8')).toBe('secret');
    expect(modeOf(path)).toBe('600');
    expect(readFileSync(`${path}.open`, 'utf8')).toBe('readable');
  });

  it('does not follow a link', async () => {
    const root = directory();
    const [target, path] = [join(root, 'target'), join(root, 'kubeconfig')];
    writeFileSync(target, 'untouched', { mode: 0o644 });
    chmodSync(target, 0o644);
    symlinkSync(target, path);
    await writePrivateFile(path, 'secret');
    expect(readFileSync(target, 'utf8')).toBe('untouched');
    expect(modeOf(target)).toBe('644');
    expect(readFileSync(path, 'utf8')).toBe('secret');
    expect(modeOf(path)).toBe('600');
  });
});
