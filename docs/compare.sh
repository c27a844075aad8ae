#!/bin/sh
# How often is a verdict of `restbench compare` wrong? Prints two lines of counts:
# a server compared with itself ("same" or "unknown" are right), and one compared
# with itself and 10 % more processor time for a request ("slower" is right).
#
#   sh docs/compare.sh [RUNS [TIME]]        100 runs of 5m each: 17 hours
#
# It needs restbench on PATH, python3 and jq.
set -eu
runs=${1:-100} time=${2:-5m}
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

cat > "$dir/server.py" <<'PYTHON'
import asyncio, sys, time

extra = float(sys.argv[2]) if len(sys.argv) > 2 else 0  # seconds of processor time a request
answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


class Server(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        sum(range(2000))  # about as much work as a framework has
        if extra:
            end = time.thread_time() + extra
            while time.thread_time() < end:
                pass
        self.transport.write(answer)


async def main():
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", int(sys.argv[1]))
    await server.serve_forever()


asyncio.run(main())
PYTHON

# compare prints the JSON of one comparison; exit code 3 is a verdict, too.
compare() {
	restbench compare "$1" "$2" --time="$time" --storage.path="$dir/state" --format=json 2>> "$dir/log" || test $? -eq 3
}

# count prints how many verdicts of each kind there are.
count() {
	printf '%s (%s runs of %s):' "$1" "$runs" "$time"
	sort "$2" | uniq -c | awk '{ printf " %s %d", $2, $1 }'
	echo
}

one="python3 $dir/server.py {port}"
cost=$(time=10s compare "$one" "$one" | jq '.a.server_cpu_seconds_per_request')
more="$one $(jq -n "$cost * 0.1")"
i=0
while [ "$i" -lt "$runs" ]; do
	compare "$one" "$one" | jq -r .verdict >> "$dir/itself"
	compare "$one" "$more" | jq -r .verdict >> "$dir/more"
	i=$((i + 1))
done
count "with itself" "$dir/itself"
count "with 10 % more work" "$dir/more"
