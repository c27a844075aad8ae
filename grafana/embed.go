// Package grafana holds the dashboards and what Grafana needs to find them, as
// files. It knows nothing about them: `restbench assets` writes them out, and the
// tests of this package hold them to their rules.
package grafana

import (
	"embed"
	"io/fs"
)

//go:embed dashboards/*.json provisioning
var files embed.FS

// Files are dashboards/ and provisioning/.
func Files() fs.FS { return files }
