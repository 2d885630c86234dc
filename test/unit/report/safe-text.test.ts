import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { harmless } from '../../../src/report/safe-text.ts';

/** What the runner treats as a command. Source: actions/runner src/Runner.Common/ActionCommand.cs. */
const isCommand = (line: string): boolean => line.replace(NET_SPACE, '').startsWith('::') || line.includes('##[');
/** What TrimStart of the runner removes (.NET, Char.IsWhiteSpace), and what its comparison ignores. */
const NET_SPACE = /^[\s\u0085\p{Cc}\p{Cf}]+/u;

describe('harmless', () => {
  it.each([
    ['::error::no', ': :error::no'],
    ['  ::set-output name=x::y', '  : :set-output name=x::y'],
    ['##[error]no', '# #[error]no'],
    ['first\n::stop-commands::x', 'first\n: :stop-commands::x'],
    ['first\r::debug::x', 'first\n: :debug::x'],
    ['\u0085::error::no', ': :error::no'],
    ['\u3000\u200b::error::no', '\u3000: :error::no'],
    [':\u0000:error::no', ': :error::no'],
    ['\u001b[2K\u001b[31mred\u001b[0m\u0007', 'red'],
    ['a\tb', 'a\tb'],
    ['a::b stays', 'a::b stays'],
    [': one colon', ': one colon'],
  ])('%j becomes %j', (before, after) => expect(harmless(before)).toBe(after));

  it.each([
    ['a right-to-left override', 'gpj\u202eexe.sh', 'gpjexe.sh'],
    ['every bidirectional control', '\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069x', 'x'],
    ['a name with a zero-width space', 'knest/pr\u200b-17', 'knest/pr-17'],
    ['a soft hyphen, a byte order mark and a filler', '\u00ada\ufeffb\u3164c\u115f', 'abc'],
    ['tags and variation selectors', 'x\u{e0041}\u{e007f}\ufe0f\u{e0100}', 'x'],
    ['interlinear annotations', 'a\ufff9b\ufffac\ufffb', 'abc'],
    ['a command behind a control that the runner overlooks', '\u2066::error::x', ': :error::x'],
    ['a command between controls', ':\u200d:error::x', ': :error::x'],
    ['a command in the other syntax', '#\u2060#\u202d[error]x', '# #[error]x'],
    ['a command after a line separator', 'a\u2028::error::x\u2029::b::', 'a\n: :error::x\n: :b::'],
  ])('removes %s', (_what, before, after) => expect(harmless(before)).toBe(after));

  it('keeps letters of every script', () => {
    for (const text of ['Größe', 'مرحبا', 'שלום', '日本語', 'नमस्ते', '✔ ✖ ▸ …', '😀']) expect(harmless(text)).toBe(text);
  });

  it('removes every invisible character from any text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (before) => {
        expect(harmless(before)).not.toMatch(/[\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]/u);
      }),
    );
  });

  it('removes every command from any text', () => {
    const unseen = [
      '\u0085',
      '\u00a0',
      '\u00ad',
      '\u200b',
      '\u2028',
      '\u3000',
      '\ufeff',
      '\u202e',
      '\u2066',
      '\u0000',
      '\u001b[0m',
    ];
    const hostile = fc
      .array(fc.constantFrom(':', '::', '#', '##', '[', ' ', '\t', '\n', '\r', 'error', '::error::x', ...unseen))
      .map((parts) => parts.join(''));
    fc.assert(
      fc.property(hostile, (before) => {
        expect(harmless(before).split('\n').filter(isCommand)).toEqual([]);
      }),
    );
  });
});
