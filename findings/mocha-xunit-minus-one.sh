#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
#
# mocha: the XUnit report of a hook that fails says that -1 tests were skipped, and "failures" is 0 whatever fails.
#
# Guess: the counts in the head of the report agree with the cases below it: "failures" counts the cases with a <failure>,
# "skipped" those with a <skipped>, and no count is negative.
#
# What happens: "failures" is 0 always: lib/reporters/xunit.js of mocha 12 writes the number of failures into "errors", though
# the cases themselves have <failure>. "skipped" is what remains of the tests without passes and failures. A hook that fails is a
# failure and no test, so it is subtracted without having been counted. An "after each" hook leaves -1; a "before" hook of a
# suite with two tests says tests="0", skipped="-1" and does not mention the two; a suite with a skipped test and a bad
# "after" hook has skipped="0" above a case with <skipped>.
#
# For a tester of a bus: fixtures (a daemon to start, a socket to remove) live in hooks, so this is the report of a broken
# fixture. A reader that trusts the head takes the run for one without failures, and one that wants natural numbers refuses the
# file. Count the cases, or go by the exit code.
#
# Our project: the head of its own JUnit report counts its cases; its tests go by the exit code of mocha.
. "$(dirname "$0")/lib/finding.sh"

npm_packages mocha@12.0.3
guess 'the head counts the cases below it'
cd "$tmp"
cat >after-each.cjs <<'NODE'
describe('suite', () => {
  afterEach(() => { throw new Error('the fixture broke'); });
  it('one', () => {});
});
NODE
cat >before.cjs <<'NODE'
describe('suite', () => {
  before(() => { throw new Error('the fixture broke'); });
  it('one', () => {});
  it('two', () => {});
});
NODE
cat >after.cjs <<'NODE'
describe('suite', () => {
  it('one', () => {});
  it.skip('two', () => {});
  after(() => { throw new Error('the fixture broke'); });
});
NODE
cat >test.cjs <<'NODE'
it('one', () => { throw new Error('it is wrong'); });
NODE
# The head without its times, and how many cases of each kind are below it.
cat >reports.sh <<'SHELL'
count() { grep -c "$1" report.xml; }
for file in test after-each before after; do
	node node_modules/mocha/bin/mocha.js --no-config --reporter xunit "$file.cjs" >report.xml
	exit_code=$?
	echo "$file.cjs (exit $exit_code): $(grep -o 'tests="[^"]*" failures="[^"]*" errors="[^"]*" skipped="[^"]*"' report.xml)"
	echo "  below: $(count '<testcase') cases, $(count '<failure>') <failure>, $(count '<error') <error>, $(count '<skipped/>') <skipped>"
done
SHELL
observe bash reports.sh
as_described <<'TEXT'
test.cjs (exit 1): tests="1" failures="0" errors="1" skipped="0"
  below: 1 cases, 1 <failure>, 0 <error>, 0 <skipped>
after-each.cjs (exit 1): tests="1" failures="0" errors="1" skipped="-1"
  below: 2 cases, 1 <failure>, 0 <error>, 0 <skipped>
before.cjs (exit 1): tests="0" failures="0" errors="1" skipped="-1"
  below: 1 cases, 1 <failure>, 0 <error>, 0 <skipped>
after.cjs (exit 1): tests="2" failures="0" errors="1" skipped="0"
  below: 3 cases, 1 <failure>, 0 <error>, 1 <skipped>
TEXT
