const { writeFileSync } = require('node:fs');
const { Spec } = require('mocha/lib/reporters/index.cjs');

/** Mocha's own report, and its own count written where the run's last line is made from. */
class CountingReporter extends Spec {
  constructor(runner, options) {
    super(runner, options);
    const file = process.env.TEST_COUNT_FILE;
    if (file === undefined) return;
    const count = { passed: 0, failed: 0 };
    const write = () => writeFileSync(file, JSON.stringify(count));
    runner.on('pass', () => {
      count.passed += 1;
    });
    runner.on('fail', () => {
      count.failed += 1;
      write();
    });
    runner.on('end', write);
  }
}

module.exports = CountingReporter;
