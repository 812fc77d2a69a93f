"""python -m portal.launcher: what script/server starts."""

from portal.launcher.server import main

main()
