"""The one exception that users are meant to see."""


class InputError(ValueError):
    """Bad input, said in one line: the object, its value, the limit, the remedy.

    The command line prints the message and exits with status 1; it shows a traceback only with `--debug`.
    """
