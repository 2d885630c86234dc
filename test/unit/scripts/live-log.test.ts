import { describe, expect, it } from 'vitest';
import { liveLog } from '../../../scripts/live-log.ts';

function shown(...lines: string[]): string[] {
  const written: string[] = [];
  const take = liveLog((line) => written.push(line));
  lines.forEach(take);
  return written;
}

describe('the live log', () => {
  it('shows plain lines unchanged, and groups as headings', () => {
    expect(shown('▸ Connect', '::group::▸ Wait', '  1.0 s  a: b', '::endgroup::', '')).toEqual([
      '▸ Connect',
      '▸ Wait',
      '  1.0 s  a: b',
      '',
    ]);
  });

  it('leaves out lines that only the runner reads', () => {
    expect(shown('::debug::GET /version 200', '::save-state name=a::b', '::set-output name=c::d')).toEqual([]);
  });

  it('shows annotations', () => {
    expect(shown('::error::it failed (KNEST_TIMEOUT)', '::warning file=a,line=1::100%25 sure')).toEqual([
      'Error: it failed (KNEST_TIMEOUT)',
      'Warning: 100% sure',
    ]);
  });

  it('never shows a masked value or a line of one', () => {
    const lines = [
      '::add-mask::abc',
      '::add-mask::abcdef',
      '::add-mask::first%0Asecond',
      'abcdef abc first',
      '::error::second',
    ];
    expect(shown(...lines)).toEqual(['*** *** ***', 'Error: ***']);
  });
});
