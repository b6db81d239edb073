import unittest

from failures_last import failures

PRINTED = """\
◇ Test "asks" started.
✘ Test "knows" recorded a known issue at Known.swift:3:5: Expectation failed
↳ it is known
✘ Test "asks" recorded an issue at Asks.swift:12:9: Expectation failed: answers == 3
↳ answers → 2
↳ on the second
line of its comment
✔ Test "else" passed after 0.1 seconds.
a line of a log
Sources/Crash.swift:7: Fatal error: Index out of range
""".splitlines(keepends=True)


class FailuresLast(unittest.TestCase):
    def test_an_issue_with_its_comments_and_nothing_of_other_tests(self):
        asks, crash = failures(PRINTED)
        self.assertEqual(asks, PRINTED[3:7])
        self.assertEqual(crash, PRINTED[9:])

    def test_many_lines_after_a_crash_are_not_all_its_own(self):
        found = list(failures(PRINTED[9:] + ["a line of a log\n"] * 100))
        self.assertEqual([len(issue) for issue in found], [15])

    def test_nothing_failed(self):
        self.assertEqual(list(failures(PRINTED[:3])), [])


if __name__ == "__main__":
    unittest.main()
