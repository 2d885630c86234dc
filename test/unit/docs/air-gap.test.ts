import { describe, expect, it } from 'vitest';
import { defaultVersions, readAction, staleDocuments, withMirrorTable } from '../../../scripts/docs.ts';
import { allAssets } from '../../../src/catalog/components/catalog-assets.ts';
import { assetPath } from '../../../src/catalog/release-asset.ts';
import { page } from './pages.ts';

const text = page('docs/recipes/air-gap.md');

describe('docs/recipes/air-gap.md', () => {
  it('and the other generated documents are what npm run docs makes', async () => {
    expect(await staleDocuments()).toEqual([]);
  });

  it('has a row for each file of the default versions', () => {
    const named = [...text.matchAll(/^\| `([^`]+\/(?:raw|download)\/[^`]+)`/gm)].map(([, path]) => path);
    expect(named).toEqual(allAssets(defaultVersions()).map(assetPath));
  });

  it('names the images of the default versions', () => {
    const { virtink, virtinkProvider } = defaultVersions();
    for (const name of ['virt-controller', 'virt-daemon', 'virt-prerunner'])
      expect(text).toContain(`docker.io/smartxworks/${name}:${virtink}`);
    expect(text).toContain(`docker.io/smartxworks/cluster-api-provider-virtink:${virtinkProvider}`);
    const [, kernel = ''] =
      /; `([^`]+)` when blank/.exec(readAction().inputs['worker-machine-kernel-image']?.description ?? '') ?? [];
    expect(text).toContain(`| \`${kernel}\``);
  });

  it('is stale once the catalog has another version', () => {
    expect(withMirrorTable(text, [])).not.toBe(text);
    expect(withMirrorTable(text, [])).not.toContain('clusterctl-linux-amd64`');
  });

  it('cannot lose its table', () => {
    expect(() => withMirrorTable(text.replace('<!-- Generated', '<!-- Made'), [])).toThrow(
      'has no place for the table',
    );
  });
});
