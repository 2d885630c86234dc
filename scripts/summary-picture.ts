import { globSync, mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { run } from '../test/host/process.ts';

const root = resolve(import.meta.dirname, '..');
/** The packages that render Markdown as GitHub does, outside of the project's own. */
const directory = join(root, 'build/picture');
const PACKAGES = ['marked@18.2.1', 'mermaid@12.3.0', 'github-markdown-css@5.9.0'];
const target = join(root, 'docs/images/summary.png');
/** CSS pixels: the width of a summary on GitHub, and device pixels for each. */
const WIDTH = 1012;
const SCALE = 1.4;
/** Milliseconds of the browser's clock in which mermaid draws. */
const DRAWING = 20_000;

const USAGE = `usage: npm run summary-picture [-- FILE]

Renders a job summary as GitHub shows it into docs/images/summary.png. FILE is Markdown; without it, the newest summary
of a create in build/evidence is taken, which npm run demo and the e2e tests leave there. Needs chromium on PATH, or its
path in CHROMIUM.`;

/** The newest summary of a successful create that a run left in build/evidence. */
function newestSummary(): string {
  const shown = globSync('build/evidence/shown/*-main.json', { cwd: root }).map((file) => join(root, file));
  const summaries = shown
    .sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs)
    .map((file) => (JSON.parse(readFileSync(file, 'utf8')) as { readonly summary?: string }).summary ?? '');
  const found = summaries.find((summary) => / is ready in /.test(summary) && summary.includes('```mermaid'));
  if (found === undefined) throw new Error(`no run has left the summary of a create\n${USAGE}`);
  return found;
}

/** The page that renders Markdown, and notes its height when everything is drawn. */
function page(markdown: string): string {
  const read = (file: string): string => readFileSync(join(directory, 'node_modules', file), 'utf8');
  const text = JSON.stringify(markdown).replaceAll('<', '\\u003c');
  return `<!doctype html>
<meta charset="utf-8">
<style>${read('github-markdown-css/github-markdown-light.css')}</style>
<style>
  body { margin: 0; }
  article { box-sizing: border-box; width: ${WIDTH}px; padding: 24px 32px 8px; }
  .mermaid { background: none !important; }
</style>
<article class="markdown-body"></article>
<script src="node_modules/marked/lib/marked.umd.js"></script>
<script src="node_modules/mermaid/dist/mermaid.min.js"></script>
<script>
  const article = document.querySelector('article');
  article.innerHTML = marked.parse(${text});
  for (const code of article.querySelectorAll('code.language-mermaid')) {
    const chart = Object.assign(document.createElement('div'), { className: 'mermaid', textContent: code.textContent });
    code.parentElement.replaceWith(chart);
  }
  mermaid.initialize({ startOnLoad: false });
  mermaid.run().then(() => (document.documentElement.dataset.height = Math.ceil(article.getBoundingClientRect().height)));
</script>
`;
}

/** Runs the browser on the page. Returns its output. */
async function browse(file: string, ...options: readonly string[]): Promise<string> {
  const fixed = ['--headless', '--no-sandbox', '--hide-scrollbars', `--virtual-time-budget=${DRAWING}`];
  const program = process.env['CHROMIUM'] ?? 'chromium';
  return run(program, [...fixed, ...options, pathToFileURL(file).href], { cwd: directory });
}

async function main(file: string | undefined): Promise<void> {
  const markdown = file === undefined ? newestSummary() : readFileSync(file, 'utf8');
  mkdirSync(directory, { recursive: true });
  mkdirSync(join(target, '..'), { recursive: true });
  await run(
    'npm',
    ['install', '--prefix', '.', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', ...PACKAGES],
    {
      cwd: directory,
    },
  );
  const html = join(directory, 'page.html');
  writeFileSync(html, page(markdown));
  const dom = await browse(html, `--window-size=${WIDTH},2000`, '--dump-dom');
  const height = /data-height="(\d+)"/.exec(dom)?.[1];
  if (height === undefined) throw new Error('the browser did not draw the chart');
  await browse(
    html,
    `--window-size=${WIDTH},${height}`,
    `--force-device-scale-factor=${SCALE}`,
    `--screenshot=${target}`,
  );
  console.log(`${target}: ${Math.ceil(statSync(target).size / 1024)} KB`);
}

if (process.argv[2] === '--help') console.log(USAGE);
else await main(process.argv[2]);
