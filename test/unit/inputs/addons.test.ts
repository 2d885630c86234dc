import { describe, expect, it } from 'vitest';
import { problems, readCreate } from './given-inputs.ts';

const SUM = 'a'.repeat(64);
const URL_OF_MANIFEST = 'https://example.com/crds.yaml';

describe('addons', () => {
  it('are none by default', () => expect(readCreate().addons).toEqual([]));

  it.each([
    ['metrics-server', [{ kind: 'known', name: 'metrics-server' }]],
    [
      `local-path-provisioner, deploy/crds.yaml ,${URL_OF_MANIFEST}#sha256=${SUM}`,
      [
        { kind: 'known', name: 'local-path-provisioner' },
        { kind: 'file', path: 'deploy/crds.yaml' },
        { kind: 'url', url: URL_OF_MANIFEST, sha256: SUM },
      ],
    ],
    [
      '\n  crds.yaml\n\n  metrics-server,\n',
      [
        { kind: 'file', path: 'crds.yaml' },
        { kind: 'known', name: 'metrics-server' },
      ],
    ],
  ])('"%s" are %o, in that order', (addons, inputs) => expect(readCreate({ addons }).addons).toEqual(inputs));

  it.each([
    [
      'local-path',
      '"local-path" is not supported; use one of local-path-provisioner, metrics-server, or a path or https URL of a manifest',
    ],
    [
      URL_OF_MANIFEST,
      `${URL_OF_MANIFEST} has no checksum; append #sha256= and its checksum, or set checksum-policy to warn`,
    ],
    ['metrics-server, a.yaml\nmetrics-server', '"metrics-server" is listed more than once'],
  ])('"%s" is refused', (addons, problem) => expect(problems({ addons })).toEqual([`addons: ${problem}`]));
});
