"""aws_real.py - run by the real aws's own interpreter: each command of stdin through it, to a server that refuses all.

Answers with [status, what it said] for each, as JSON.  Nothing leaves the machine: the endpoint is on loopback.
"""
# SPDX-License-Identifier: ISC
import contextlib
import http.server
import io
import json
import os
import re
import sys
import threading

XML = "<{0}><Code>ProbeRefused</Code><Message>not in a test</Message></{1}>"
BODIES = {"ec2": XML.format("Response><Errors><Error", "Error></Errors><RequestID>1</RequestID></Response"),
          "s3": XML.format("Error", "Error"),
          **dict.fromkeys(("ecr", "logs"), json.dumps({"__type": "ProbeRefused", "message": "not in a test"})),
          "dlm": json.dumps({"code": "ProbeRefused", "message": "not in a test"})}
OTHERS = XML.format("ErrorResponse><Error", "Error><RequestId>1</RequestId></ErrorResponse")


class Refuse(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self):
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        service = re.search(r"/([a-z0-9]+)/aws4_request", self.headers.get("Authorization", ""))
        body = BODIES.get(service[1] if service else "", OTHERS).encode()
        self.send_response(400)
        self.send_header("Content-Type", "application/x-amz-json-1.1" if body.startswith(b"{") else "text/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = answer

    def log_message(self, *_):
        """Nothing: stderr is the command's."""


def main():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refuse)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    os.environ.update({"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1",
                       "AWS_MAX_ATTEMPTS": "1", "AWS_PAGER": "", "AWS_EC2_METADATA_DISABLED": "true"})
    from awscli.clidriver import create_clidriver
    said, driver = [], create_clidriver()
    for words in json.load(sys.stdin):
        errors = io.StringIO()
        with contextlib.redirect_stderr(errors), contextlib.redirect_stdout(io.StringIO()):
            try:
                # What modify-instance-attribute adds to a session breaks every other command in it.
                asked = create_clidriver() if "modify-instance-attribute" in words else driver
                status = asked.main([*words, "--endpoint-url", f"http://127.0.0.1:{server.server_port}"])
            except SystemExit as end:
                status = end.code
        said.append([status, errors.getvalue()])
    json.dump(said, sys.stdout)


main()
