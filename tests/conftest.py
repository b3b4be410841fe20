"""What holds for all tests: the programs that they start handle signals, whoever runs the tests."""
# SPDX-License-Identifier: ISC
import signal


def hear_signals():
    """A job in the background, or one of nohup, ignores these, and so would all that it starts: a shell can then not
    even trap them.  What is caught here is at its default in a program that is started."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) == signal.SIG_IGN:
            signal.signal(number, lambda *_: None)


hear_signals()
