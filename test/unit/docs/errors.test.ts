import { describe, expect, it } from 'vitest';
import { page } from './pages.ts';

const text = page('docs/errors.md');
const sections = text.split(/^(?=##+ )/m).filter((section) => section.startsWith('### '));

describe('docs/errors.md', () => {
  it('has a section for every error code, and no others', () => {
    const codes = [...page('src/errors.ts').matchAll(/\| '(KNEST_\w+)'/g)].map(([, code]) => code);
    const titles = sections.map((section) => /^### (.+)$/m.exec(section)?.[1]);
    expect(codes.length).toBeGreaterThan(20);
    expect(titles.sort()).toEqual(codes.sort());
  });

  it('says what each code means, and what to do', () => {
    const incomplete = sections.filter((section) => !/^### \w+\n\n[^*][^]*?\n\n\*\*What to do:\*\* \w/.test(section));
    expect(incomplete).toEqual([]);
  });
});
