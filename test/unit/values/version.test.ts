import { describe, expect, it } from 'vitest';
import { compareMinor, compareVersions, parseVersion, type Version } from '../../../src/values/version.ts';

function version(text: string): Version {
  const parsed = parseVersion(text);
  if (parsed === undefined) throw new Error(`${text} is no version`);
  return parsed;
}

describe('parseVersion', () => {
  it.each([
    ['1.36.3', { major: 1, minor: 36, patch: 3, text: '1.36.3' }],
    ['v1.36.3', { major: 1, minor: 36, patch: 3, text: '1.36.3' }],
    ['v1.37.0-rc.1', { major: 1, minor: 37, patch: 0, text: '1.37.0-rc.1' }],
    ['1.36.3+build.5', { major: 1, minor: 36, patch: 3, text: '1.36.3+build.5' }],
    ['01.02.03', { major: 1, minor: 2, patch: 3, text: '1.2.3' }],
  ])('parses %s', (text, parsed) => expect(parseVersion(text)).toEqual(parsed));

  it.each(['', 'latest', '1.36', 'v1', '1.36.x', '1.36.3 ', '1.36.3.4', 'V1.36.3', '1.36.3;rm'])(
    'refuses "%s"',
    (text) => expect(parseVersion(text)).toBeUndefined(),
  );
});

describe('compareVersions', () => {
  it.each([
    ['1.36.3', '1.36.10', -1],
    ['1.36.3', '1.35.9', 1],
    ['1.36.0-rc.2', '1.36.0', -1],
    ['1.36.0', '1.36.0-rc.2', 1],
    ['1.36.0-rc.2', '1.36.0-rc.10', -1],
    ['1.36.0-beta.1', '1.36.0-rc.0', -1],
    ['1.36.3+build.5', '1.36.3', 0],
  ])('%s to %s: %d', (one, other, sign) => expect(Math.sign(compareVersions(version(one), version(other)))).toBe(sign));
});

describe('compareMinor', () => {
  it.each([
    ['1.24.0', '1.36.0', -1],
    ['1.36.0', '1.24.9', 1],
    ['2.0.0', '1.99.0', 1],
    ['1.36.0', '1.36.9', 0],
    // As numbers, not as text.
    ['1.9.0', '1.10.0', -1],
  ])('%s to %s: %d', (one, other, sign) => expect(Math.sign(compareMinor(version(one), version(other)))).toBe(sign));
});
