import fc from 'fast-check';
import { parsers } from 'prettier/plugins/markdown';
import { describe, expect, it } from 'vitest';
import { escape, fenced, inlineCode } from '../../../src/report/markdown.ts';

/** A node of the syntax tree that the parser of Prettier makes (mdast). */
interface Node {
  readonly type: string;
  readonly children?: readonly Node[];
  readonly value?: string;
  readonly url?: string;
}

const textOf = ({ value = '', children = [] }: Node): string => value + children.map(textOf).join('');

/** A plain URL in a text. GitHub makes a link to the same URL of it. */
const isPlainAddress = (node: Node): boolean => node.type === 'link' && node.url === textOf(node);

/** The types of all elements of a page. */
function types(markdown: string): ReadonlySet<string> {
  // The second argument is for Prettier itself, and is not used.
  const tree = parsers.markdown.parse(markdown, {} as never) as Node;
  const visit = (node: Node): string[] =>
    isPlainAddress(node) ? ['text'] : [node.type, ...(node.children ?? []).flatMap(visit)];
  return new Set(visit(tree));
}

const hostile = fc
  .array(
    fc.constantFrom(
      ...['`', '``', '```', '~~~', '|', '<b>', '</details>', '<!--', '[x](http://x)', '![x](y)', '**', '_', '$', '$$'],
      ...['# ', '- ', '> ', '\n', '\r\n', '\t', '    ', '\\', '&lt;', '<http://x>', 'x', ' ', ':', '[^1]', '{{x}}'],
    ),
  )
  .map((parts) => parts.join(''));

describe('text from the cluster on a page', () => {
  it('stays plain words within a line, whatever it contains', () => {
    const allowed = new Set(['root', 'heading', 'text', 'sentence', 'word', 'whitespace']);
    fc.assert(
      fc.property(hostile, (text) => {
        expect([...types(`### x ${escape(text)} x`)].filter((type) => !allowed.has(type))).toEqual([]);
      }),
    );
  });

  it('stays code in a table cell, whatever it contains', () => {
    const allowed = ['root', 'table', 'tableRow', 'tableCell', 'inlineCode', 'text', 'sentence', 'word', 'whitespace'];
    fc.assert(
      fc.property(hostile, (text) => {
        const page = ['| | |', '|---|---|', `| a | ${inlineCode(`x${text}x`)} |`].join('\n');
        expect([...types(page)].filter((type) => !allowed.includes(type))).toEqual([]);
      }),
      { examples: [['</details>\\|'], ['\\\\|</details>']] },
    );
  });

  it('stays in its code block, whatever it contains', () => {
    fc.assert(
      fc.property(fc.array(hostile), (lines) => {
        expect([...types(fenced(lines).join('\n'))]).toEqual(['root', 'code']);
      }),
    );
  });
});
