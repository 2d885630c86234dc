import { describe, expect, it } from 'vitest';
import { cleanupPage } from '../../../src/report/cleanup.ts';
import { Timeline } from '../../../src/report/timeline.ts';

const row = { name: 'pr-17', namespace: 'knest', result: 'deleted', reason: 'it expired' };

describe('the summary of a cleanup', () => {
  it('has a row for each cluster', () => {
    expect(cleanupPage('1 of 2 deleted', [row, { ...row, name: 'pr-18', result: 'kept' }], [], new Timeline())).toBe(
      [
        '### 1 of 2 deleted',
        '',
        '| Cluster | Result | Reason |',
        '| --- | --- | --- |',
        '| `knest/pr-17` | deleted | it expired |',
        '| `knest/pr-18` | kept | it expired |',
        '',
      ].join('\n'),
    );
  });

  it('has no table without clusters', () => {
    expect(cleanupPage('nothing', [], [], new Timeline())).toBe('### nothing\n');
  });

  it('lists leftovers as text, up to a limit', () => {
    const page = cleanupPage(
      'none',
      [],
      ['knest: Machine <b> is left', ...Array<string>(60).fill('x')],
      new Timeline(),
    );
    expect(page).toContain('Still there:\n\n- knest: Machine \\<b\\> is left\n- x\n');
    expect(page).toContain('- … and 11 more: see the log.\n');
  });

  it('fits into the summary of a step with any number of clusters', () => {
    const page = cleanupPage(
      'all',
      Array<typeof row>(12_000).fill({ ...row, reason: '<'.repeat(150) }),
      [],
      new Timeline(),
    );
    expect(Buffer.byteLength(page)).toBeLessThan(512 * 1024);
    const rows = page.match(/pr-17/g)?.length ?? 0;
    expect(rows).toBeGreaterThan(500);
    expect(page).toContain(`\n\n… and ${12_000 - rows} more rows: see the log.\n`);
  });

  it('shows values of a cluster as text', () => {
    const page = cleanupPage('x', [{ ...row, reason: 'its expiry "<b>|`[a](b)" is wrong\n# big' }], [], new Timeline());
    expect(page).toContain('its expiry "\\<b\\>\\|\\`\\[a\\](b)" is wrong \\# big |');
  });
});
