"""Runs somebody else's Python file in a process of its own, with a limit on time and memory.

:func:`run` starts the process and collects what a job reports from it; :func:`load` and :func:`account`, used inside,
run the file and put what it raises into one line. The one idea: nothing but lines of JSON comes back, so a file that
prints, exits, crashes or never ends cannot disturb the caller. This keeps accidents away, not attackers.
"""

from .child import Job
from .parent import Ending, JobResult, Printed, run
from .submission import account, line_of, load, one_line

__all__ = ["Ending", "Job", "JobResult", "Printed", "account", "line_of", "load", "one_line", "run"]
