import { describe, expect, it } from 'vitest';
import { applyAll } from '../../../src/host/apply.ts';
import { KubernetesClient } from '../../../src/host/client.ts';
import { RestClient } from '../../../src/host/rest.ts';
import { Transport } from '../../../src/host/transport.ts';
import { configFor, json, refuse, serve } from './server.ts';

const signal = new AbortController().signal;
const configMap = (name: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'knest' } });

describe('applyAll', () => {
  it('rejects with the first refusal, once nothing is under way any more, and begins nothing else', async () => {
    let answered = 0;
    const { url, received } = await serve((response, _number, { path }) => {
      const isBad = path.includes('/bad?');
      setTimeout(
        () => {
          answered++;
          if (isBad) refuse(response, 400);
          else json(response, {}, 201);
        },
        isBad ? 0 : 200,
      );
    });
    const client = new KubernetesClient(new RestClient(new Transport(configFor(url)), signal));
    const names = ['a', 'b', 'bad', ...Array.from({ length: 20 }, (_, index) => `later-${index}`)];
    await expect(applyAll(client, names.map(configMap), signal)).rejects.toMatchObject({ status: 400 });
    expect(answered).toBe(received.length);
    expect(received.length).toBeLessThan(names.length);
  });
});
