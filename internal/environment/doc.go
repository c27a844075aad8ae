// Package environment makes the Python environments that the servers run in:
// it finds uv and an interpreter, installs a hash-locked recipe beside its
// application, and keeps the result by its content, so that the second start
// needs no network and runs nothing. It is the only package that knows Python,
// uv and the package index. It neither starts servers nor knows what an
// environment is measured for, and it runs programs only through Runner.
//
// Below Options.Dir:
//
//	environments/sanic-<hash>/   one environment: venv, app, and environment.json, written last
//	environments/*.lock          held while one is made
//	uv/<version>/uv              uv, where PATH has none
//	python/                      interpreters that uv downloaded
//	cache/                       uv's cache, where the user's own cannot be written
//	interpreters.json            what the interpreters on PATH answered
package environment
