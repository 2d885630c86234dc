import eslint from '@eslint/js';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

// Imports point one way (test/unit/structure.test.ts has the whole order): what these files must not import.
const boundary = (files, ...forbidden) => ({
  files,
  rules: { 'no-restricted-imports': ['error', { patterns: forbidden.map((regex) => ({ regex })) }] },
});

export default defineConfig(
  globalIgnores(['dist/', 'build/', 'eslint.config.js']),
  eslint.configs.recommended,
  tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'max-lines': ['error', { max: 260, skipBlankLines: true }],
      'no-restricted-syntax': ['error', { selector: 'ExportDefaultDeclaration', message: 'Export by name.' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
  },
  boundary(['src/commands/**'], '@actions/', '@kubernetes/'),
  boundary(
    ['src/cluster/**', 'src/install/!(download).ts', 'src/install/download/**'],
    '@actions/',
    '@kubernetes/',
    '/commands/',
  ),
  boundary(['src/host/**'], '@actions/', '/commands/', '/cluster/', '/install/'),
  boundary(
    ['src/catalog/**', 'src/values/**'],
    '@actions/',
    '^node:fs',
    '/commands/',
    '/cluster/',
    '/install/',
    '/host/',
  ),
  boundary(['src/report/**'], '@kubernetes/', '/commands/'),
);
