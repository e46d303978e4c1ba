"""Become another program: one that ends with whoever started it, and that as root runs as an ordinary account.

Run by path under `python -I -S`, so the standard library is all there is:

    launch.py --parent PID --death-signal N [--account UID:GID --reach PATH ...] -- program argument ...

It never returns: the program keeps this process id.
"""

import argparse
import ctypes
import os
import signal
import sys
from collections.abc import Sequence

# linux/prctl.h, linux/securebits.h, linux/capability.h
_PR_SET_PDEATHSIG = 1
_PR_GET_SECUREBITS = 27
_PR_SET_SECUREBITS = 28
_PR_SET_NO_NEW_PRIVS = 38
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2
_CAPABILITY_VERSION_3 = 0x20080522
_CAP_DAC_OVERRIDE = 1

_IS_LINUX = sys.platform == "linux"


def main(arguments: Sequence[str]) -> None:
    """Parse the arguments, change what must be changed and become the program. Errors end with one line."""
    parser = argparse.ArgumentParser(prog="launch", allow_abbrev=False)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--death-signal", type=int, required=True)
    parser.add_argument("--account")
    parser.add_argument("--reach", action="append", default=[])
    parser.add_argument("program", nargs="+")
    options = parser.parse_args(arguments)
    _forget_inherited_signals()
    try:
        if options.account:
            user, group = map(int, options.account.split(":"))
            _become(user, group, reach=options.reach)
        if _IS_LINUX:
            _end_with_parent(options.parent, options.death_signal)
        os.execv(options.program[0], options.program)  # noqa: S606 - no shell is the point
    except OSError as error:
        sys.exit(f"cannot start {options.program[0]}: {error}")


def _forget_inherited_signals() -> None:
    # A background job of a plain shell inherits an ignored SIGINT, and then could not be stopped by it.
    for inherited in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(inherited, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def _become(user: int, group: int, *, reach: Sequence[str]) -> None:
    if all(_can_reach(user, group, path) for path in reach):
        _drop(user, group)
    elif _IS_LINUX:
        _drop_but_reach_everything(user, group)
    if not all(os.access(path, os.R_OK | os.X_OK) for path in reach):
        sys.exit(
            f"user id {user} (postgres refuses to run as root) cannot reach {' or '.join(reach)}: "
            "move it below a folder that every user may enter, or start as an ordinary user"
        )


def _can_reach(user: int, group: int, path: str) -> bool:
    """Ask in a process of its own: what is dropped cannot be taken up again."""
    child = os.fork()
    if child == 0:
        _drop(user, group)
        os._exit(0 if os.access(path, os.R_OK | os.X_OK) else 1)
    return os.waitpid(child, 0)[1] == 0


def _drop(user: int, group: int) -> None:
    os.setgroups([])
    os.setresgid(group, group, group)
    os.setresuid(user, user, user)


def _drop_but_reach_everything(user: int, group: int) -> None:
    """Keep CAP_DAC_OVERRIDE alone, so that a project below a closed folder (/root) works too.

    The secure bit matters twice: the capability outlives setuid, and access(2), with which postgres looks
    for its own files, counts it (it ignores capabilities of an ordinary user otherwise).
    """
    libc = ctypes.CDLL(None, use_errno=True)
    bits = libc.prctl(_PR_GET_SECUREBITS, 0, 0, 0, 0)
    if libc.prctl(_PR_SET_SECUREBITS, bits | _SECBIT_NO_SETUID_FIXUP, 0, 0, 0):
        _drop(user, group)  # a root without capabilities: the caller says what then is out of reach
        return
    _drop(user, group)
    only = 1 << _CAP_DAC_OVERRIDE
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    sets = (ctypes.c_uint32 * 6)(only, only, only, 0, 0, 0)  # effective, permitted, inheritable; low, then high
    if libc.capset(header, sets) or libc.prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, _CAP_DAC_OVERRIDE, 0, 0):
        _clear_capabilities(libc, header)
    libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def _clear_capabilities(libc: ctypes.CDLL, header: object) -> None:
    # With the secure bit set, setuid kept every capability: they must go before the program runs.
    if libc.capset(header, (ctypes.c_uint32 * 6)()):
        sys.exit("cannot give up root's capabilities: start as an ordinary user")


def _end_with_parent(parent: int, death_signal: int) -> None:
    # After every change of credentials: those clear it.
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent:
        sys.exit("whoever started this is gone already")


if __name__ == "__main__":
    main(sys.argv[1:])
