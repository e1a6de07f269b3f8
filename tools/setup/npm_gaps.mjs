// Exit status 0 if the only fault that `npm ci` found with a lock is that it lists no packages for other platforms.
// A registry that does not carry them leaves them out of the lock, and `npm ci` then refuses it although nothing is wrong here.
//   node npm_gaps.mjs LOG package-lock.json
import { readFileSync } from 'node:fs';

const [log, lock] = process.argv.slice(2).map((path) => readFileSync(path, 'utf8'));
const packages = Object.values(JSON.parse(lock).packages);
const optional = new Set(packages.flatMap((entry) => Object.keys(entry.optionalDependencies ?? {})));
const faults = [...log.matchAll(/^npm error (Missing|Invalid): (.*)$/gm)];
const harmless = faults.filter(([, kind, text]) => kind === 'Missing' && optional.has(text.replace(/@[^@/]* from lock file$/, '')));
process.exit(faults.length > 0 && harmless.length === faults.length ? 0 : 1);
