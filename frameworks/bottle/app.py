import sys

from bottle import route, run


@route("/")
def hello():
    return "Hello World!"


run(host="127.0.0.1", port=int(sys.argv[1]))
