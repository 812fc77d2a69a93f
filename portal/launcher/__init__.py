"""Setting up and running the whole portal on one machine: what script/server and script/test do.

Standard library only: it runs before there is a virtual environment. The exception is `database`, which is
run by the environment's Python.
"""
