"""Where the end-to-end tests find the stand-ins, the demo's stage and each other's aids."""
# SPDX-License-Identifier: ISC
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
for folder in (HERE, HERE.parent / "peers", HERE.parent / "demo"):
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))


def pytest_configure(config):
    config.addinivalue_line("markers", "long: waits or starts much; `make test` leaves it to `make check-scripts`")
