#!/bin/sh
# Do the engines agree on servers that no catalogue has? Runs `restbench check
# --engines` on gunicorn, waitress, cheroot, hypercorn and granian, and on nginx and
# node where they are installed.
#
#   sh docs/unseen.sh [--time=15m]
#
# Flags are those of `restbench check`. PINNING='server=0;client=1' before it gives
# servers and client a processor each, which is less noisy. SERVERS='granian node'
# takes these alone.
#
# It needs restbench, wrk and a python3 from 3.10 on, and once the package index.
set -eu
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
trap 'exit 1' HUP INT TERM

python3 -m venv "$dir/venv"
"$dir/venv/bin/pip" install --quiet --disable-pip-version-check \
	gunicorn==27.0.1 waitress==3.0.2 cheroot==11.1.2 hypercorn==0.18.0 granian==2.8.7

cat > "$dir/app.py" <<'PYTHON'
answer = b"Hello, World!"
length = len(answer)


def wsgi(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", str(length))])
    return [answer]


async def asgi(scope, receive, send):
    if scope["type"] == "http":
        headers = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % length)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})
PYTHON

cat > "$dir/node.js" <<'NODE'
const answer = "Hello, World!";
const headers = { "Content-Type": "text/plain", "Content-Length": answer.length };
require("http")
  .createServer((_, response) => response.writeHead(200, headers).end(answer))
  .listen(Number(process.argv[2]), "127.0.0.1");
NODE

cat > "$dir/nginx.sh" <<'SHELL'
cd "$1" || exit 1
cat > nginx.conf <<CONF
daemon off;
worker_processes 1;
pid $1/nginx.pid;
error_log $1/nginx.log;
events { worker_connections 256; }
http {
	access_log off;
	keepalive_requests 1000000000;
	client_body_temp_path $1/body;
	proxy_temp_path $1/proxy;
	fastcgi_temp_path $1/fastcgi;
	uwsgi_temp_path $1/uwsgi;
	scgi_temp_path $1/scgi;
	server {
		listen 127.0.0.1:$2;
		location / { default_type text/plain; return 200 "Hello, World!"; }
	}
}
CONF
exec nginx -c "$1/nginx.conf"
SHELL

# server adds one to the configuration: a name and its command, as YAML lists it.
server() {
	case " ${SERVERS:-$1} " in *" $1 "*) ;; *) return ;; esac
	cat >> "$dir/unseen.yml" <<YAML
  - name: $1
    dir: $dir
    env: {PYTHONPATH: $dir}
    command: [$2]
    expect: {content_type: text/plain, body: "Hello, World!"}
YAML
}
printf 'editions: []\ncontrols: []\npinning: %s\ntargets:\n' "${PINNING:-auto}" > "$dir/unseen.yml"
bin=$dir/venv/bin
server gunicorn "$bin/gunicorn, --bind, '127.0.0.1:{port}', 'app:wsgi'"
server waitress "$bin/waitress-serve, '--listen=127.0.0.1:{port}', 'app:wsgi'"
server cheroot "$bin/cheroot, --bind, '127.0.0.1:{port}', 'app:wsgi'"
server hypercorn "$bin/hypercorn, --bind, '127.0.0.1:{port}', 'app:asgi'"
server granian "$bin/granian, --interface, asgi, --host, 127.0.0.1, --port, '{port}', 'app:asgi'"
if command -v nginx > /dev/null; then
	server nginx "sh, $dir/nginx.sh, $dir, '{port}'"
fi
if command -v node > /dev/null; then
	server node "node, $dir/node.js, '{port}'"
fi
restbench check --engines --config.file="$dir/unseen.yml" --storage.path="$dir/state" "$@"
