import sys

from sanic import Sanic
from sanic.response import json

app = Sanic("restbench")


@app.route("/")
async def hello(request):
    return json({"hello": "world"})


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=int(sys.argv[1]))
