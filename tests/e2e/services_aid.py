"""services_aid.py - a compose file with services beside the application's, and what has become of each."""
# SPDX-License-Identifier: ISC


OTHERS = """  worker:
    image: ${DEPLOY_IMAGE}
    restart: always
  scheduler:
    image: ${DEPLOY_IMAGE}
  once:
    image: ${DEPLOY_IMAGE}
    restart: "no"
  jobs:
    profiles:
      - jobs
    image: ${DEPLOY_IMAGE}
  database:
    image: postgres:15
"""


def parts(bench):
    """{service: (digest, status)} of what there is."""
    return {box["labels"]["service"]: (box["of"].partition("@")[2], box["status"])
            for box in bench.engine()["containers"]}


def all_run(digest, *names):
    return {name: (digest, "running") for name in names}


def says(said, text):
    return any(line.partition(": ")[2] == text for line in said)


def ends(bench, service, digest, status):
    bench.change_engine(ends={f"{service} {bench.image}@{digest}": status})


def ups(bench):
    return [call[call.index("up"):] for call in bench.host_calls() if call[0] == "compose" and "up" in call]
