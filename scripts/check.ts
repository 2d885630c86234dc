import { checks } from './checks.ts';
import { runParts } from './parts.ts';

const { failed } = await runParts(checks, 2);
process.exitCode = failed.length > 0 ? 1 : 0;
