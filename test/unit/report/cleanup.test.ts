import { describe, expect, it } from 'vitest';
import { cleanupPage } from '../../../src/report/cleanup.ts';
import { Timeline } from '../../../src/report/timeline.ts';

const row = { name: 'pr-17', namespace: 'knest', result: 'deleted', reason: 'it expired' };

describe('the page of a clean-up', () => {
  it('has a row for each cluster', () => {
    expect(cleanupPage('1 of 2 deleted', [row, { ...row, name: 'pr-18', result: 'kept' }], new Timeline())).toBe(
      [
        '### 1 of 2 deleted',
        '',
        '| Cluster | | Why |',
        '|---|---|---|',
        '| `knest/pr-17` | deleted | it expired |',
        '| `knest/pr-18` | kept | it expired |',
        '',
      ].join('\n'),
    );
  });

  it('has no table without clusters, and no end of rows with many', () => {
    expect(cleanupPage('nothing', [], new Timeline())).toBe('### nothing\n');
    const page = cleanupPage('all', Array<typeof row>(60).fill(row), new Timeline());
    expect(page.match(/pr-17/g)).toHaveLength(50);
    expect(page).toContain('… and 10 more, in the log.');
  });

  it('shows what a cluster says of itself as text', () => {
    const page = cleanupPage('x', [{ ...row, reason: 'its expiry "<b>|`[a](b)" is wrong\n# big' }], new Timeline());
    expect(page).toContain('its expiry "\\<b\\>\\|\\`\\[a\\](b)" is wrong \\# big |');
  });
});
