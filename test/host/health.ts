import { get as httpGet, type RequestOptions } from 'node:http';
import { get as httpsGet } from 'node:https';
import { pathToFileURL } from 'node:url';

/** A host's services, by the URL inside its network namespace that answers 200 when the service is well. */
export const services = {
  mirror: 'http://127.0.0.1:8080/healthz',
  containerd: 'http://127.0.0.1:1338/v1/metrics',
  kubelet: 'http://127.0.0.1:10248/healthz',
  'kube-apiserver': 'https://172.30.0.10:6443/readyz',
  'kube-controller-manager': 'https://127.0.0.1:10257/healthz',
  'kube-scheduler': 'https://127.0.0.1:10259/readyz',
  'kube-proxy': 'http://127.0.0.1:10256/healthz',
} as const;

export type Service = keyof typeof services;

function answers(url: string): Promise<boolean> {
  const options: RequestOptions & { rejectUnauthorized: boolean } = { timeout: 2000, rejectUnauthorized: false };
  const get = url.startsWith('https:') ? httpsGet : httpGet;
  return new Promise((resolve) => {
    const request = get(url, options, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    request.on('timeout', () => request.destroy()).on('error', () => resolve(false));
  });
}

const pause = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 50));

/** Asks services until all are well or `timeout` milliseconds are over. Returns those that are not well. */
export async function unwell(names: readonly Service[], timeout: number): Promise<Service[]> {
  const end = performance.now() + timeout;
  for (;;) {
    const states = await Promise.all(names.map(async (name) => ({ name, well: await answers(services[name]) })));
    const bad = states.filter(({ well }) => !well).map(({ name }) => name);
    if (bad.length === 0 || performance.now() > end) return bad;
    await pause();
  }
}

// Run as a program inside a host's network namespace: health.ts TIMEOUT SERVICE… prints the names of those unwell.
if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [, , timeout = '0', ...names] = process.argv;
  const known = Object.keys(services) as Service[];
  process.stdout.write(
    (
      await unwell(
        known.filter((name) => names.includes(name)),
        Number(timeout),
      )
    ).join(' '),
  );
}
