# SPDX-License-Identifier: Apache-2.0
"""Counts visits in PostgreSQL, and tells the number to who asks by HTTP. With --check: whether it answers."""
import http.server
import os
import signal
import sys
import urllib.request

import psycopg2

PORT = int(os.environ["APP_PORT"])


def visit():
    with psycopg2.connect(host="127.0.0.1", port=os.environ["DB_PORT"], user="nobody", dbname="postgres") as session:
        with session.cursor() as cursor:
            cursor.execute("insert into visits values (now())")
            cursor.execute("select count(*) from visits")
            return cursor.fetchone()[0]


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        text = "alive\n" if self.path == "/health" else f"visit {visit()}\n"
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())


def main():
    if "--check" in sys.argv:
        urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health").read()
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # pid 1 of its container: by itself it would be ignored
    with psycopg2.connect(host="127.0.0.1", port=os.environ["DB_PORT"], user="nobody", dbname="postgres") as session:
        session.cursor().execute("create table if not exists visits (at timestamp with time zone)")
    with http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler) as server:
        print(f"listens on port {PORT}")
        server.serve_forever()


main()
