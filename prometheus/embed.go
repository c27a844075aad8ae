// Package prometheus holds the configuration, the rules with their tests, and the
// example for Alertmanager, as files. It knows nothing about them: `restbench
// assets` writes them out, and the tests of this package hold them to their rules.
package prometheus

import (
	"embed"
	"io/fs"
)

//go:embed *.yml rules/*.yml tests/*.yml
var files embed.FS

// Files are prometheus.yml, scrape.yml, alertmanager.yml, rules/ and tests/.
func Files() fs.FS { return files }
