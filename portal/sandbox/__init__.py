"""An AWS of our own: moto's server plus what it lacks, with its content kept over restarts.

Run it with ``python -m portal.sandbox --port N --data DIR``. It needs neither Django nor any other
part of the portal, and nothing outside this package and the settings knows that it exists.
"""
