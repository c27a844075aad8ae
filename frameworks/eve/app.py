import sys

from eve import Eve

app = Eve()

if __name__ == "__main__":
    app.run(port=int(sys.argv[1]))
