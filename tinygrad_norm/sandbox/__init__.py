"""Runs somebody else's Python file in a process of its own, with limits, so that nothing it does disturbs the caller.

There are two ways. :class:`AnswerSession` is for files of others, to be judged: the process holds NumPy and the file,
does what it is asked and gives back arrays; whoever judges stays here. Where no process can be started, a learner's
own answer is asked the same by :class:`AnswerHere`. :func:`run` is for a learner's own file that works with this
package: a job of ours runs in the process and reports lines of JSON; :func:`load` and :func:`account`, used inside, run
the file and put what it raises into one line.
"""

from .answer_here import AnswerHere
from .cage import Protection, protection
from .child import Job
from .parent import Ending, JobResult, Printed, run
from .session import Answer, AnswerEndedError, AnswerRaisedError, AnswerSession, beside
from .submission import account, line_of, load, one_line

__all__ = [
    "Answer",
    "AnswerEndedError",
    "AnswerHere",
    "AnswerRaisedError",
    "AnswerSession",
    "Ending",
    "Job",
    "JobResult",
    "Printed",
    "Protection",
    "account",
    "beside",
    "line_of",
    "load",
    "one_line",
    "protection",
    "run",
]
