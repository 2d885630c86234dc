import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { download, downloadText } from '../../../images/downloads.ts';

const content = 'a program';
const sum = createHash('sha256').update(content).digest('hex');
let server: Server;
let base: string;
let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'knest-downloads-'));
  server = createServer(({ url }, response) => {
    response.statusCode = url === '/kubeadm' ? 200 : 404;
    response.end(content);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});

afterAll(async () => {
  rmSync(directory, { recursive: true });
  await new Promise((resolve) => server.close(resolve));
});

it('keeps a download that has the expected sum', async () => {
  const file = join(directory, 'kubeadm');
  await download(`${base}/kubeadm`, sum, file);
  expect(readFileSync(file, 'utf8')).toBe(content);
});

it('refuses and removes a download with another sum', async () => {
  const file = join(directory, 'other');
  await expect(download(`${base}/kubeadm`, 'a'.repeat(64), file)).rejects.toThrow(
    `has the SHA-256 sum ${sum}; expected`,
  );
  expect(existsSync(file)).toBe(false);
});

it('reports what the server answers', async () => {
  await expect(downloadText(`${base}/nothing`)).rejects.toThrow('/nothing: 404 Not Found');
});
