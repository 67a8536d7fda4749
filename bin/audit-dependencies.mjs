// Asks the registry whether what the product runs on has known holes. Fails where a high or critical one has a fix to
// take; says so, and passes, where the registry answers no such question.
import { spawnSync } from 'node:child_process';

const { stdout } = spawnSync('npm', ['audit', '--omit=dev', '--json'], { encoding: 'utf8', timeout: 60_000 });
const report = read(stdout);
const found = Object.values(report?.vulnerabilities ?? {});
const counts = report?.metadata?.vulnerabilities;

if (!counts) {
  const reason = report?.message ?? report?.error?.summary ?? 'no answer';
  console.log(`The dependencies were NOT audited: ${reason || 'the registry offers no audit'}.`);
} else {
  console.log(`Audited dependencies: ${counts.total} known holes.`);
  for (const { name, severity, fixAvailable } of found)
    console.log(`  ${name}: ${severity}${fixAvailable ? ', a fix is there' : ''}`);
  const pressing = found.filter(({ severity, fixAvailable }) => /high|critical/.test(severity) && fixAvailable);
  process.exitCode = pressing.length > 0 ? 1 : 0;
}

function read(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
