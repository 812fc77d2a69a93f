"""``python -m portal.sandbox --port N --data DIR``."""

import argparse
import logging
import sys
from pathlib import Path

from portal.sandbox import moto_environment


def main() -> int:
    """Run the sandbox until it is told to stop; returns the exit status."""
    arguments = _arguments()
    logging.basicConfig(level=logging.INFO, format="sandbox: %(message)s")
    # One line per request would bury everything else.
    logging.getLogger("werkzeug").setLevel(logging.WARNING)
    moto_environment.prepare()
    from portal.sandbox.keeper import DataFolderError
    from portal.sandbox.server import serve

    try:
        serve(
            host=arguments.host,
            port=arguments.port,
            folder=arguments.data,
            save_every=arguments.save_every,
            follow_parent=arguments.until_parent_ends,
        )
    except DataFolderError as error:
        logging.error("%s", error)
        return 1
    except OSError as error:
        logging.error("cannot listen on %s:%s: %s", arguments.host, arguments.port, error.strerror)
        return 1
    return 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m portal.sandbox", description="Serve an AWS of our own.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument("--port", type=int, required=True, help="port to listen on; 0 takes a free one")
    parser.add_argument("--data", type=Path, required=True, help="folder that keeps the content")
    parser.add_argument(
        "--save-every",
        type=float,
        default=15.0,
        help="least seconds between saves (default: %(default)s)",
    )
    parser.add_argument(
        "--until-parent-ends", action="store_true", help="stop when the process that started this one ends"
    )
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
