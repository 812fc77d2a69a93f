"""What ends the launcher with one clear line."""


class Stop(Exception):
    """Nothing can be started; `str()` is the one line to show, `status` the exit code."""

    def __init__(self, message: str, status: int = 1) -> None:
        super().__init__(message)
        self.status = status
